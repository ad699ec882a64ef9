"""One encrypted cookie of a browser; its ciphers are loaded where log-ins are configured."""

from aiohttp import web
from aiohttp_session import Session as Session
from aiohttp_session.cookie_storage import EncryptedCookieStorage


class Jar(EncryptedCookieStorage):
    """aiohttp-session deletes a cookie without `Secure`, which browsers ignore for `__Host-`."""

    def save_cookie(
        self, response: web.StreamResponse, cookie_data: str, *, max_age: int | None = None
    ) -> None:
        if cookie_data:
            super().save_cookie(response, cookie_data, max_age=max_age)
        else:
            secure = bool(self.cookie_params.get("secure"))
            response.del_cookie(
                self.cookie_name, path="/", secure=secure, httponly=True, samesite="Lax"
            )
