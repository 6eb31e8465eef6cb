# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The completeness contract: what is refused, what is not, and why."""

from __future__ import annotations

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios import contract

from . import samples


def judge(text: str, prompt: str = "sw1#", **more: object) -> list[str]:
    return contract.violations(text.rstrip("\n") + "\n", prompt=prompt, running=True, **more)  # type: ignore[arg-type]


def test_a_whole_configuration_is_accepted() -> None:
    assert judge(samples.running()) == []


def test_a_whole_configuration_without_header_is_accepted() -> None:
    assert judge(samples.CONFIG) == []


@pytest.mark.parametrize("cut", [200, 400, 600])
def test_a_cut_configuration_is_refused_by_end_and_by_size(cut: int) -> None:
    text = samples.running()
    found = judge(text[: len(text) - cut])
    assert any("does not end with 'end'" in clause for clause in found)
    assert any("announced" in clause for clause in found)


def test_a_cut_at_the_prompt_in_a_banner_is_refused_even_without_header() -> None:
    text = samples.CONFIG[: samples.CONFIG.index("sw1#\n")]
    assert any("does not end" in clause for clause in judge(text))


def test_an_end_in_the_middle_does_not_hide_the_missing_half() -> None:
    config = samples.CONFIG
    half = config[: len(config) // 2] + "\nend\n"
    assert any("announced" in clause for clause in judge(samples.running(half, announced=len(config) + 9)))


@pytest.mark.parametrize(("more", "accepted"), [(3, True), (24, True), (400, False), (-400, False)])
def test_the_announced_size_has_a_small_tolerance(more: int, accepted: bool) -> None:
    text = samples.running(announced=len(samples.CONFIG) + 2 + more)
    assert (judge(text) == []) is accepted


@pytest.mark.parametrize("residue", [" --More-- \x08\x08\x08", " --More-- "])
def test_the_pager_is_refused(residue: str) -> None:
    assert any(
        "pager" in clause for clause in judge(samples.running().replace("!\ninterface", f"!\n{residue}interface", 1))
    )


def test_a_refusal_is_told_by_the_device_s_own_words() -> None:
    (clause,) = judge(samples.INVALID)
    assert "Invalid input" in clause
    assert "privilege" in clause


def test_only_the_header_is_refused() -> None:
    assert judge("Building configuration...\n\n") == ["nothing came but the header"]


def test_another_device_s_configuration_is_refused() -> None:
    assert any("hostname" in clause for clause in judge(samples.running(), prompt="sw2#"))


def test_a_hostname_cut_in_the_prompt_is_the_same_device() -> None:
    name = "commutateur-salle-101-cdi"
    text = samples.running(samples.CONFIG.replace("hostname sw1", f"hostname {name}"))
    assert judge(text, prompt=f"{name[:20]}#") == []


def test_a_prompt_of_its_own_says_nothing_about_the_hostname() -> None:
    config = samples.CONFIG.replace("hostname sw1\n", "hostname sw1\nprompt lycee-%h%p\n")
    assert judge(samples.running(config), prompt="lycee-sw1#") == []


def test_a_log_message_in_the_middle_is_refused_but_not_one_quoted_in_a_banner() -> None:
    message = "*Mar  1 00:01:02.003: %LINK-3-UPDOWN: Interface FastEthernet0/1, changed state to up\n"
    assert any(
        "log message" in clause for clause in judge(samples.CONFIG.replace("!\ninterface", f"!\n{message}interface", 1))
    )
    assert judge(samples.CONFIG.replace("sw1#\n", f"sw1#\n{message}")) == []


@pytest.mark.parametrize(
    "line",
    [
        ' event syslog pattern "%LINEPROTO-5-UPDOWN: Line protocol on Interface"',
        ' event syslog pattern ".*%SYS-5-CONFIG_I: Configured"',
        " description voir --More-- dans la notice",
    ],
)
def test_a_configuration_may_name_what_would_be_a_trace(line: str) -> None:
    assert judge(samples.CONFIG.replace("!\ninterface", f"!\nevent manager applet a\n{line}\n!\ninterface", 1)) == []


@pytest.mark.parametrize(
    "message",
    [
        "%LINK-3-UPDOWN: Interface up",
        "000123: *Mar  1 00:00:01: %SYS-5-CONFIG_I: x",
        ".Nov 24 10:00:00.123: %LINK-3-UPDOWN: y",
    ],
)
def test_log_messages_of_every_stamp_are_seen(message: str) -> None:
    assert judge(samples.CONFIG.replace("!\ninterface", f"!\n{message}\ninterface", 1)) != []


def test_half_the_last_size_is_refused_and_force_is_named() -> None:
    (clause,) = judge(samples.running(), previous_size=10_000)
    assert "network_backup_force" in clause
    assert judge(samples.running(), previous_size=len(samples.running())) == []


def test_no_secret_is_shown_of_the_last_line() -> None:
    text = samples.CONFIG[: samples.CONFIG.index(" login local")]
    (clause,) = judge(text)
    assert "094F471A1A0A" not in clause


def test_startup_header_names_the_uncompressed_size() -> None:
    text = "Using 1000 out of 65536 bytes, uncompressed size = 5000 bytes\nline\n"
    assert contract.announced_size(text) == (5000, 5)


def test_absent_startup() -> None:
    assert contract.is_absent("startup-config is not present\n")
    assert contract.is_absent("%% Non-volatile configuration memory is not present\n")
    assert not contract.is_absent(samples.startup())
