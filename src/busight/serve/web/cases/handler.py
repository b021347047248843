"""What takes the bytes of an upload: straight to the spool, with limits of size and of the disk."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler

from busight.serve.web.cases.intake import no_room, not_kept

REFUSED = "busight.refused_uploads"


class SpoolHandler(TemporaryFileUploadHandler):
    """Writes each file to the spool; one that is too large, or has no room, is skipped with its reason."""

    def new_file(self, *arguments: Any, **named: Any) -> None:
        """Begin a file; an empty or unwritable spool is a reason too."""
        self.size = 0
        try:
            super().new_file(*arguments, **named)
        except OSError as error:
            self._refuse(not_kept(error))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write a part."""
        self.size += len(raw_data)
        if reason := no_room(self.size, len(raw_data)):
            self._refuse(reason)
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            self._refuse(not_kept(error))

    def _refuse(self, reason: str) -> None:
        assert self.request is not None
        self.request.META.setdefault(REFUSED, []).append((self.file_name or "file", reason))
        if getattr(self, "file", None) is not None:
            self.file.close()  # removes it
        raise SkipFile
