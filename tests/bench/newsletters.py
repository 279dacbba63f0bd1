#!/usr/bin/env python3
# Hamlet - adaptive Bayesian spam learning engine
# SPDX-License-Identifier: Apache-2.0
"""Writes HTML-heavy mail, as newsletters and shops send it, for bench_limit: about
47 kB a message, multipart/alternative in quoted-printable or base64, nested tables,
styles in every tag, long links that count clicks, character references, UTF-8.

Usage: newsletters.py FOLDER [COUNT]   (default 300)
Writes FOLDER/NNNN.eml and FOLDER/index, as scripts/corpus does; the same bytes every
time, on every Python 3.
"""
import base64
import os
import quopri
import random
import sys

SIZE = 47_000  # bytes of a message, on average
SYLLABLES = ("ba be bo da de di el en er fa fo ga ge ha he in is ka ko la le li lo ma me "
	"mi mo na ne no or pa pe ra re ri ro sa se si so ta te ti to un va ve vi wa we").split()
ENDINGS = ["", "", "s", "ing", "er", "n", "t", "ly", "ed"]
COMMON = ("the and for you your with our this that from are not all now new free offer more "
	"here order save only today shop sale click view online time week best price get off "
	"und die der das für mit nicht auch über schön les des pour avec été où").split()
ACCENTS = {"a": "ä", "o": "ö", "u": "ü", "e": "é", "n": "ñ", "s": "ß"}
REFERENCES = ["&nbsp;", "&amp;", "&rsquo;", "&mdash;", "&euro;", "&#8217;", "&#xA0;", "&copy;",
	"&hellip;", "&raquo;", "&auml;", "&zwnj;&nbsp;"]
SYMBOLS = ["€", "–", "“", "”", "→", "✓", "🎉", "秋の", "新品", "скидка"]
COLOURS = ["#ffffff", "#333333", "#f4f4f4", "#0a7cff", "#e21b3c", "#999999", "#1d1d1f"]
FONTS = ["Arial, Helvetica, sans-serif", "'Open Sans', Verdana, sans-serif", "Georgia, serif"]


class Source:
	"""Seeded numbers; random() alone is the same in all versions of Python."""

	def __init__(self, seed):
		self.random = random.Random(seed).random

	def below(self, limit):
		return int(self.random() * limit)

	def one(self, choices):
		return choices[self.below(len(choices))]

	def code(self, length, letters="ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789-_"):
		return "".join(self.one(letters) for _ in range(length))


def make_words(source, count):
	words = []
	for _ in range(count):
		word = "".join(source.one(SYLLABLES) for _ in range(1 + source.below(4)))
		word += source.one(ENDINGS)
		if source.below(9) == 0:
			word = "".join(ACCENTS.get(letter, letter) for letter in word)
		words.append(word)
	return words


def sentence(source, words, length):
	text = []
	for _ in range(length):
		# Few words are frequent, most are rare.
		word = source.one(COMMON) if source.below(2) else words[int(len(words) * source.random() ** 3)]
		text.append(word.capitalize() if source.below(8) == 0 else word)
	return " ".join(text) + source.one([".", ".", ".", "!", "?", ", " + source.one(SYMBOLS)])


def link(source, host):
	return (f"https://click.{host}/f/a/{source.code(22)}~~/{source.code(8)}~/{source.code(120)}"
		f"?utm_source=newsletter&amp;utm_medium=email&amp;utm_campaign={source.code(10)}"
		f"&amp;qs={source.code(64, '0123456789abcdef')}")


def style(source, *declarations):
	return (f"font-family:{source.one(FONTS)}; font-size:{11 + source.below(8)}px; "
		f"line-height:{16 + source.below(12)}px; color:{source.one(COLOURS)}; " + "; ".join(declarations))


def marked_up(source, text):
	"""Some words in bold, some references among them."""
	words = []
	for word in text.split(" "):
		words.append(f"<strong>{word}</strong>" if source.below(15) == 0 else word)
		if source.below(12) == 0:
			words.append(source.one(REFERENCES))
	return " ".join(words)


def cell(source, words, host):
	picture = f"https://image.{host}/lib/{source.code(14)}/m/1/{source.code(36, '0123456789abcdef')}.png"
	width = 20 * (1 + source.below(30))
	return f"""
<table role="presentation" width="100%" border="0" cellspacing="0" cellpadding="0" \
style="border-collapse:collapse; mso-table-lspace:0pt; mso-table-rspace:0pt; min-width:100%;">
  <tr>
    <td align="{source.one(['left', 'center'])}" valign="top" bgcolor="{source.one(COLOURS)}" \
style="padding:{source.below(30)}px 20px 0px 20px;">
      <a href="{link(source, host)}" target="_blank" style="text-decoration:none;"><img src="{picture}" \
width="{width}" height="{width // 2}" alt="{sentence(source, words, 3)}" border="0" \
style="display:block; max-width:100%; height:auto;"></a>
    </td>
  </tr>
  <tr>
    <td class="mobile-text" style="{style(source, 'padding:10px 20px', 'text-align:left')}">
      {marked_up(source, sentence(source, words, 12))}<br>
      {marked_up(source, sentence(source, words, 18 + source.below(25)))}
      <a href="{link(source, host)}" style="{style(source, 'text-decoration:underline')}">\
{sentence(source, words, 2)}</a>
    </td>
  </tr>
</table>"""


def html_body(source, words, host, size):
	preview = sentence(source, words, 14)
	head = f"""<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" \
"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<title>{sentence(source, words, 5)}</title>
<style type="text/css">
body, table, td {{ margin:0; padding:0; -webkit-text-size-adjust:100%; }}
@media only screen and (max-width:600px) {{ .mobile-text {{ font-size:16px !important; }} }}
</style>
<!--[if mso]><style>td {{ font-family:Arial !important; }}</style><![endif]-->
</head>
<body bgcolor="#f4f4f4" style="margin:0; padding:0;">
<div style="display:none; max-height:0px; overflow:hidden;">{preview}{'&zwnj;&nbsp;' * 40}</div>
<table width="100%" border="0" cellspacing="0" cellpadding="0"><tr><td align="center">
<table width="600" class="wrapper" style="width:600px;"><tr><td>"""
	foot = f"""
<p style="{style(source, 'text-align:center')}">&copy; 2024 {host}
<a href="{link(source, host)}">Unsubscribe</a> | <a href="https://www.{host}/privacy">Privacy</a></p>
<img src="https://click.{host}/open.aspx?{source.code(60)}" width="1" height="1" alt="">
</td></tr></table></td></tr></table></body></html>
"""
	parts = [head]
	used = len(head) + len(foot)
	while used < size:
		parts.append(cell(source, words, host))
		used += len(parts[-1].encode())
	return "".join(parts) + foot


def plain_body(source, words, host):
	lines = []
	for _ in range(10 + source.below(15)):
		lines.append(sentence(source, words, 10 + source.below(20)))
		lines.append(link(source, host).replace("&amp;", "&"))
		lines.append("")
	return "\n".join(lines)


def encode(text, encoding):
	if encoding == "base64":
		return base64.encodebytes(text.encode()).decode()
	return quopri.encodestring(text.encode()).decode()


def message(source, words):
	host = f"{source.one(words[:40])}-mail.example".encode("ascii", "ignore").decode()
	boundary = source.code(24)
	encoding = source.one(["quoted-printable", "quoted-printable", "base64"])
	subject = sentence(source, words, 6)
	coded = base64.b64encode(subject.encode()).decode()
	size = SIZE * (0.4 + 1.2 * source.random())
	plain = encode(plain_body(source, words, host), encoding)
	# What is to be written in base64 or with = signs grows.
	growth = 1.37 if encoding == "base64" else 1.11
	html = encode(html_body(source, words, host, (size - len(plain) - 2000) / growth), encoding)
	return f"""Return-Path: <bounce-{source.code(20)}@bounce.{host}>
Received: from mta{source.below(90)}.{host} (mta.{host} [198.51.100.{source.below(250)}])
\tby mx.example.org (Postfix) with ESMTPS id {source.code(11)}
\tfor <alice@example.org>; Tue, {1 + source.below(28)} May 2024 09:{10 + source.below(50)}:12 +0000 (UTC)
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; s=200608; d={host};
 h=From:To:Subject:Date:List-Unsubscribe:MIME-Version:Message-ID:Content-Type;
 bh={source.code(43)}=;
 b={source.code(70)}
 {source.code(76)}
 {source.code(76)}=
From: "{sentence(source, words, 2).rstrip('.!?,')}" <news@{host}>
To: <alice@example.org>
Subject: =?utf-8?B?{coded}?=
Date: Tue, {1 + source.below(28)} May 2024 03:{10 + source.below(50)}:09 -0600
List-Unsubscribe: <https://click.{host}/u/{source.code(90)}>, <mailto:leave-{source.code(40)}@leave.{host}>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
MIME-Version: 1.0
List-ID: <{source.below(99999)}.{host}>
X-CSA-Complaints: csa-complaints@eco.de
x-job: {source.below(10 ** 7)}_{source.below(10 ** 6)}
Message-ID: <{source.code(36, '0123456789abcdef')}@{host}>
Content-Type: multipart/alternative; boundary="{boundary}"

This is a multi-part message in MIME format.

--{boundary}
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: {encoding}

{plain}
--{boundary}
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: {encoding}

{html}
--{boundary}--
"""


def main():
	folder = sys.argv[1]
	count = int(sys.argv[2]) if len(sys.argv) > 2 else 300
	os.makedirs(folder, exist_ok=True)
	words = make_words(Source(1), 8000)
	with open(os.path.join(folder, "index"), "w") as index:
		for number in range(count):
			name = f"{number:04}.eml"
			with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as file:
				file.write(message(Source(1000 + number), words))
			index.write(f"{'spam' if number % 2 else 'ham'} {name}\n")


if __name__ == "__main__":
	main()
