"""The worker: ``python -m busight.serve.web.cases.worker NAME`` reads uploads, predicts, explains what is looked at."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from busight.model.model import Model
    from busight.serve.web.cases.models import Export
    from busight.types import Failure, InputImage, Prediction, Rejected

log = logging.getLogger("busight.worker")

BATCH = 8
"""Cases that go through the networks together."""
UPLOADS = 8
"""Files that are read in a row."""
IDLE_SECONDS = 0.25
TAKE_BACK_SECONDS = 60.0
REMOVE_SECONDS = 3600.0


@dataclass(slots=True)
class Worker:
    """One worker of a site.

    Attributes:
        name: Its name, the same in its next life: what it held when it was killed is then free at once.
        model: The model.
        parent: The process that started it; it ends with that.
    """

    name: str
    model: Model
    parent: int = field(default_factory=os.getppid)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Work until stopped: uploads are read in a thread of their own, by a process of their own."""
        from busight.serve.web.cases import intake, queue

        intake.remove_orphans()
        back = queue.take_back(self.name)
        if back:
            log.warning("%d interrupted rows are taken up again", back)
        with ThreadPoolExecutor(1, "intake") as pool:
            reading = pool.submit(self._read_uploads)
            taken_back, removed = time.monotonic(), 0.0
            try:
                while not self._stopping.is_set():
                    if reading.done():
                        reading.result()
                    if time.monotonic() - taken_back > TAKE_BACK_SECONDS:
                        queue.take_back()
                        taken_back = time.monotonic()
                    if time.monotonic() - removed > REMOVE_SECONDS:
                        self._remove_old()
                        removed = time.monotonic()
                    if os.getppid() != self.parent:  # nobody would start it anew, or stop it
                        self.stop()
                    if not (self.predict_some() or self.export_one() or self.explain_one()):
                        self._stopping.wait(IDLE_SECONDS)
            except BaseException:
                self._stopping.set()  # else the pool would wait for the other thread for ever
                raise
            reading.result()

    def _remove_old(self) -> None:
        from django.db import DatabaseError

        from busight.errors import BusightError
        from busight.serve.web.administration import retention

        try:
            retention.remove_old("worker")
        except (BusightError, DatabaseError, OSError) as error:
            log.error("old cases were not removed: %s", error)

    def stop(self, *_: object) -> None:
        """Let it end after what it is at."""
        self._stopping.set()

    def _read_uploads(self) -> None:
        from django.db import connection

        from busight.serve.web.cases.decoder import Decoder

        decoder = Decoder()
        try:
            while not self._stopping.is_set():
                if not self.read_some(decoder):
                    self._stopping.wait(IDLE_SECONDS)
        except BaseException:
            self._stopping.set()
            raise
        finally:
            decoder.stop()
            connection.close()

    def read_some(self, decoder: Any) -> bool:
        """Read some uploads; return whether there were any."""
        from busight.errors import BusightError
        from busight.serve.web.cases import intake, queue

        card = self.model.card
        uploads = queue.take_uploads(self.name, UPLOADS)
        for upload in uploads:
            try:
                channels = self.model.preprocess.image.channels
                intake.read_upload(upload, self.name, decoder, (card.name, card.digest), channels)
            except BusightError as error:  # e.g. a full disk: the lease runs out and it is tried again
                log.error("%s", error)
                self._stopping.wait(1.0)
        return bool(uploads)

    def predict_some(self) -> bool:
        """Predict some cases; return whether there were any."""
        from django.db import transaction

        from busight.errors import BusightError
        from busight.serve.web.audit_log.chain import record
        from busight.serve.web.cases import answer as answers
        from busight.serve.web.cases import queue

        cases = queue.take_cases(self.name, BATCH)
        if not cases:
            return False
        given, images = [], []
        for case in cases:
            try:
                if case.model_digest != self.model.card.digest:
                    raise BusightError(f"{case.name}: was asked of a model that is not installed any more")
                images.append(answers.given_image(case))
                given.append(case)
            except BusightError as error:
                answers.fail(case, str(error))
        for case, answer in zip(given, self._answers(images), strict=True):
            answers.fill(case, answer, self.model)
        with transaction.atomic():
            for case in cases:
                if queue.is_held(case, self.name):
                    queue.release(case)
                    case.save()
                    record("worker", f"case {case.get_state_display()}", case.pk, model=case.model)
        return True

    def _answers(self, images: list[InputImage]) -> list[Prediction | Rejected | Failure]:
        """Return the answers, each by itself where one image spoils the batch."""
        from busight.errors import BusightError
        from busight.types import Failure

        try:
            return self.model.try_predict(images)
        except BusightError as error:
            if len(images) == 1:
                return [Failure(images[0].ref, str(error))]
            return [self._answers([image])[0] for image in images]

    def export_one(self) -> bool:
        """Make one file that somebody asked for; return whether there was any."""
        from django.db import transaction

        from busight.errors import BusightError
        from busight.serve.web.audit_log.chain import record
        from busight.serve.web.cases import export as exports
        from busight.serve.web.cases import queue

        export = queue.take_export(self.name)
        if export is None:
            return False
        try:
            if export.kind == export.Kind.MODEL:
                export.reason = self._recalibrate(export)
            else:
                exports.make(export, self.model, lambda: queue.keep(export, self.name))
                export.reason = ""
            export.state = "done"
        except (BusightError, OSError) as error:
            export.state, export.reason = "failed", str(error)[:500]
        with transaction.atomic():
            if queue.is_held(export, self.name):
                queue.release(export)
                export.save()
                record("worker", f"made the {export.get_kind_display()}", export.pk, state=export.state)
        return True

    def _recalibrate(self, export: Export) -> str:
        """Recalibrate the model on the cases that who asked sees, while the lease is kept; return what was done."""
        from django.db import connection

        from busight.serve.web.cases import queue
        from busight.serve.web.monitoring.recalibration import confirmed_cases, models_folder, recalibrated

        done = threading.Event()

        def keep() -> None:
            while not done.wait(10):
                queue.keep(export, self.name)
            connection.close()

        keeper = threading.Thread(target=keep, daemon=True)
        keeper.start()
        try:
            name = f"recalibrated-{export.created:%Y%m%d-%H%M%S}"
            cases = confirmed_cases(export.asked_by, self.model.card.digest)
            return recalibrated(self.model, cases, name, models_folder() / f".{export.pk}")
        finally:
            done.set()
            keeper.join()

    def explain_one(self) -> bool:
        """Compute the details of one case, of one that somebody looks at first; return whether there was any."""
        from django.db.models import F

        from busight.errors import BusightError
        from busight.serve.web.cases import answer as answers
        from busight.serve.web.cases.models import Case
        from busight.types import Failure

        digest = self.model.card.digest
        without = Case.objects.filter(state=Case.State.DONE, details__isnull=True, model_digest=digest)
        case = without.order_by(F("wanted").asc(nulls_last=True), "created").first()
        if case is None:
            return False
        try:
            (answer,) = self.model.try_predict([answers.given_image(case)], explain=True)
            if isinstance(answer, Failure):
                raise BusightError(answer.reason)
            details, activation = answers.details_of(self.model, answer), answers.activation_of(answer)
        except BusightError as error:  # e.g. its image is gone
            details, activation = {"undescribed": str(error)}, ""
        Case.objects.filter(pk=case.pk).update(details=details, activation_file=activation)
        return True


def main() -> None:
    """Run the worker whose name is the first argument."""
    import django

    django.setup()
    from django.conf import settings

    from busight.model.engines.catalogue import EngineSettings
    from busight.model.model import Model

    worker = Worker(sys.argv[1], Model.load(settings.SITE.model, EngineSettings()))
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when
    worker.run()


if __name__ == "__main__":
    main()
