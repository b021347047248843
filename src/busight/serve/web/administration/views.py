"""Pages of the administration."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from busight.errors import BusightError
from busight.serve.web.accounts.access import requires, user_of
from busight.serve.web.accounts.models import Role
from busight.serve.web.administration.backup import back_up
from busight.serve.web.administration.forms import RetentionForm
from busight.serve.web.administration.models import Retention
from busight.serve.web.administration.retention import remove_old
from busight.serve.web.audit_log.chain import record
from busight.serve.web.cases.models import Case, Upload


@requires(Role.ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def administration(request: HttpRequest) -> HttpResponse:
    """Show what the site holds, and change how long cases are kept."""
    kept = Retention.current()
    form = RetentionForm(request.POST or None, instance=kept)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            record(user_of(request), "changed the retention", "", days=kept.days)
        messages.success(request, f"Cases are kept {kept}.")
        return redirect("administration")
    site = settings.SITE
    disk = shutil.disk_usage(site.data)
    context = {
        "form": form,
        "kept": kept,
        "n_cases": Case.objects.count(),
        "n_uploads": Upload.objects.count(),
        "database": connection.vendor,
        "data": site.data,
        "free_gb": disk.free / 1e9,
        "share": round(100 * disk.used / disk.total),
        "backups": sorted(backups().glob("*.tar"), reverse=True)[:10],
    }
    return render(request, "administration/administration.html", context)


def backups() -> Path:
    """Return the folder of the backups that the page makes."""
    folder: Path = settings.SITE.data / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@requires(Role.ADMINISTRATOR)
@require_POST
def make_backup(request: HttpRequest) -> HttpResponse:
    """Write a backup into the site's folder. It holds images and keys, so it is not sent to the browser."""
    path = backups() / f"busight-{timezone.now():%Y%m%d-%H%M%S}.tar"
    try:
        about = back_up(settings.SITE, path)
        with transaction.atomic():
            record(user_of(request), "made a backup", path.name, rows=about["rows"], files=about["files"])
        messages.success(request, f"{path.name}: {about['rows']} rows and {about['files']} images.")
    except BusightError as error:
        messages.error(request, str(error))
    return redirect("administration")


@requires(Role.ADMINISTRATOR)
@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    """Remove what is older than the retention now; the worker does so each hour by itself."""
    count = remove_old(user_of(request))
    messages.success(request, f"{count} cases were removed.")
    return redirect("administration")
