"""The forum's addresses, and the person who is always signed in."""

from __future__ import annotations

from typing import Any

import spirit.urls
from django.contrib.auth import get_user_model
from django.urls import include, path
from django.utils.deprecation import MiddlewareMixin
from spirit_words import ME

urlpatterns = [path("", include(spirit.urls))]


class SignedIn(MiddlewareMixin):  # type: ignore[misc]
    """Whoever comes is the same person."""

    def process_request(self, request: Any) -> None:
        """Sign the person in, without a session that would have to be kept."""
        request.user = get_user_model().objects.select_related("st").get(username=ME)
