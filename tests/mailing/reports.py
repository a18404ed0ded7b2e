"""Reports of failed mail as servers write them (RFC 3464), and mails that are none."""

POSTFIX = """\
Date: Mon,  2 Nov 2026 15:00:01 +0700 (ICT)
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: scorecards@example.org
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.org.

--B
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Original-Envelope-Id: {envelope}
Arrival-Date: Mon,  2 Nov 2026 15:00:00 +0700 (ICT)

Final-Recipient: rfc822; {to}
Original-Recipient: rfc822;{to}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} <{to}>: no such user

--B
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

Return-Path: <scorecards@example.org>
Message-ID: {returned}
Subject: Hoa Sen BPO

--B--
"""
EXIM = """\
From: Mail Delivery System <Mailer-Daemon@mx.example.org>
To: scorecards@example.org
Content-Type: multipart/report; report-type=delivery-status; boundary=E
MIME-Version: 1.0

--E
Content-type: text/plain; charset=us-ascii

A message that you sent could not be delivered.
--E
Content-type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Action: {action}
Final-Recipient: rfc822;{to}
Status: {status}
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; 550 no mailbox

--E
Content-type: message/rfc822

Message-ID: {returned}
From: scorecards@example.org
To: {to}
Subject: Hoa Sen BPO

--E--
"""
AUTOMATIC_REPLY = """\
From: linh@example.org
To: scorecards@example.org
Subject: Out of the office
Auto-Submitted: auto-replied
In-Reply-To: {returned}
References: {returned}
Content-Type: text/plain

I am back on Monday. Action: failed Status: 5.1.1
"""


def report(
    message_id: str,
    *,
    form: str = POSTFIX,
    status: str = "5.1.1",
    action: str = "failed",
    to: str = "linh@example.org",
    envelope: str = "",
) -> bytes:
    text = form.format(returned=message_id, envelope=envelope, status=status, action=action, to=to)
    return text.replace("\n", "\r\n").encode()
