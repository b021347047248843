"""Pages of users: login, one-time codes, own account, administration."""

from __future__ import annotations

import base64
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import login as otp_login
from django_otp import match_token
from django_otp.plugins.otp_totp.models import TOTPDevice

from busight.serve.web.accounts.access import requires, user_of
from busight.serve.web.accounts.forms import CodeForm, RolesForm, TokenForm, UserForm
from busight.serve.web.accounts.models import Role, Token, User
from busight.serve.web.accounts.tokens import make_token
from busight.serve.web.audit_log.chain import record


class LoginForm(AuthenticationForm):
    """Name and password of a person."""

    def confirm_login_allowed(self, user: Any) -> None:
        """Refuse a program."""
        super().confirm_login_allowed(user)
        if user.is_service:
            raise ValidationError("A service has no pages: it uses its tokens.")


class Login(auth_views.LoginView):
    """Login by name and password."""

    form_class = LoginForm
    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        """Log in and say so in the audit log."""
        with transaction.atomic():
            record(form.get_user(), "logged in")
            return super().form_valid(form)


@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Ask for the one-time code of a user who has a device."""
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        device = match_token(user_of(request), form.cleaned_data["code"])
        if device is not None:
            otp_login(request, device)
            return redirect(settings.LOGIN_REDIRECT_URL)
        form.add_error("code", "This code is not, or no longer, right; wait for the next one.")
    return render(request, "accounts/code.html", {"form": form})


@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """Show the secret of a one-time code, and confirm it by a first code."""
    user = user_of(request)
    device, _ = TOTPDevice.objects.get_or_create(user=user, confirmed=False, defaults={"name": "app"})
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if device.verify_token(form.cleaned_data["code"]):
            with transaction.atomic():
                TOTPDevice.objects.filter(user=user, confirmed=True).delete()
                device.confirmed = True
                device.save()
                record(user, "set up one-time codes")
            otp_login(request, device)
            messages.success(request, "One-time codes are on.")
            return redirect("account")
        form.add_error("code", "This code is not right; compare the clocks of both devices.")
    secret = base64.b32encode(device.bin_key).decode()
    return render(request, "accounts/enrol.html", {"form": form, "secret": secret, "address": device.config_url})


@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Show the own account and change its password."""
    user = user_of(request)
    form = PasswordChangeForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            record(user, "changed the password")
        update_session_auth_hash(request, user)
        messages.success(request, "The password is changed.")
        return redirect("account")
    has_codes = TOTPDevice.objects.filter(user=user, confirmed=True).exists()
    return render(request, "accounts/account.html", {"form": form, "has_codes": has_codes})


@requires(Role.ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def users(request: HttpRequest) -> HttpResponse:
    """List the users and make new ones."""
    form = UserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            made = form.save()
            record(user_of(request), "made the user", made.username, roles=made.roles)
        messages.success(request, f"{made.username} can log in now.")
        return redirect("users")
    return render(request, "accounts/users.html", {"form": form, "users": User.objects.order_by("username")})


@requires(Role.ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def user(request: HttpRequest, name: str) -> HttpResponse:
    """Change the roles of a user; the last administrator stays one."""
    changed = get_object_or_404(User, username=name)
    form = RolesForm(request.POST or None, instance=changed, initial={"roles": changed.roles})
    if request.method == "POST" and form.is_valid():
        others = any(one.is_administrator for one in User.objects.filter(is_active=True).exclude(pk=changed.pk))
        stays = Role.ADMINISTRATOR in form.cleaned_data["roles"] and form.cleaned_data["is_active"]
        if stays or others:
            was_service = Role.SERVICE.value in User.objects.get(pk=changed.pk).roles
            with transaction.atomic():
                form.save()
                if was_service != changed.is_service:  # a token made for the one must not open the other
                    changed.tokens.all().delete()
                record(user_of(request), "changed the user", name, roles=changed.roles, may_log_in=changed.is_active)
            messages.success(request, f"{name} is changed.")
            return redirect("users")
        form.add_error("roles", "This is the last administrator; make another one first.")
    return render(request, "accounts/user.html", {"form": form, "changed": changed})


@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest, name: str) -> HttpResponse:
    """List the tokens of oneself, or as administrator those of a service, and make new ones."""
    owner = _owner(request, name)
    form = TokenForm(request.POST or None)
    made = ""
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        with transaction.atomic():
            token, made = make_token(owner, given["name"], given["scopes"], given["days"])
            record(user_of(request), "made a token", token.name, user=owner.username, scopes=token.scopes)
        form = TokenForm()
    context = {"form": form, "owner": owner, "tokens": owner.tokens.all(), "made": made}
    return render(request, "accounts/tokens.html", context)


@require_POST
def revoke(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """Remove a token."""
    owner = _owner(request, name)
    token = get_object_or_404(Token, pk=pk, user=owner)
    with transaction.atomic():
        record(user_of(request), "revoked a token", token.name, user=owner.username)
        token.delete()
    messages.success(request, f"The token {token.name} is worth nothing any more.")
    return redirect("tokens", name)


def _owner(request: HttpRequest, name: str) -> User:
    asking = user_of(request)
    if asking.username == name:
        return asking
    owner = get_object_or_404(User, username=name) if asking.is_administrator else None
    if owner is None or not owner.is_service:
        raise PermissionDenied("tokens are one's own; an administrator keeps those of services alone")
    return owner
