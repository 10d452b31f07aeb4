"""The page that asks for the token: plain HTML, since nobody is let in yet."""

from __future__ import annotations

from html import escape
from typing import Final

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · streams</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; display: grid; place-items: center;
        min-height: 90vh; margin: 0; padding: 1rem; box-sizing: border-box }}
form {{ width: min(22rem, 100%); display: grid; gap: .75rem }}
label {{ display: grid; gap: .25rem }}
input, button {{ font: inherit; padding: .6rem; border-radius: .3rem; border: 1px solid #8888 }}
button {{ background: #1d5fa8; color: #fff; border: 0; cursor: pointer }}
:focus-visible {{ outline: 3px solid #4c9be8; outline-offset: 1px }}
[role=alert] {{ border-left: 4px solid #c62828; padding-left: .6rem }}
</style>
</head>
<body>
<main>
<h1>streams</h1>
<form method="post" action="/login">
{problem}
<label>Your name, for the audit
<input name="name" value="{name}" maxlength="{longest}" autocomplete="username" required></label>
<label>Token
<input name="token" type="password" autocomplete="current-password" required></label>
<input type="hidden" name="next" value="{next}">
<button>Sign in</button>
</form>
</main>
</body>
</html>
"""


def login_page(next_: str, longest: int, name: str = "", problem: str = "") -> str:
    """The page.

    Args:
        next_: path to go to afterwards.
        longest: characters of a name.
        name: that was given, when it did not work …
        problem: … and why it did not.
    """
    told = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    return _PAGE.format(
        next=escape(next_, quote=True), name=escape(name, quote=True), longest=longest, problem=told
    )
