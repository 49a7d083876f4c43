//! Dockerfiles, beginning with the fixture on which other tools were measured.

use crate::support::{changed, listed, pinned, sites};
use pin::{Format, Found, Opaque};

const D: Format = Format::Dockerfile;

/// Six references to pin. Source: `research/pin.md` §1.2.
const TORTURE: &str = include_str!("../../fixtures/torture/dockerfile/lf/Dockerfile");

#[test]
fn the_torture_fixture_is_pinned_six_of_six() {
    assert_eq!(
        changed(TORTURE, &pinned(D, TORTURE)),
        [
            "# syntax=docker/dockerfile:1.7@NINES",
            "ARG BASE=nginx:1.27@NINES",
            "FROM golang:1.24@NINES AS build",
            "RUN --mount=type=cache,target=/c --mount=type=bind,from=shop/tools:2@NINES,target=/t go build",
            "from   shop/lower:1@NINES   as lower",
            "COPY --chown=1:1 --from=shop/copy:4@NINES /b /b",
        ]
    );
}

#[test]
fn a_site_says_its_stage_and_an_argument_its_uses() {
    let found = sites(D, TORTURE);
    assert_eq!(found[2].context.container.as_deref(), Some("build"));
    assert_eq!((found[1].path.as_str(), found[1].aliases[0].line), ("ARG BASE", 8));
    assert_eq!(found[5].found, Found::Opaque(Opaque::Variable));
}

#[test]
fn continuations_comments_and_flags_stand_between() {
    let text = "FROM --platform=$BUILDPLATFORM \\\n  # why\n\n  a/b:1 \\\n  AS x\r\nONBUILD COPY --from=c/d:2 \\\n /a /b\nFROM e/\\\nf:1\nFROM \"g/h:1\"";
    assert_eq!(
        listed(D, text),
        ["4:3 tag a/b:1", "6:21 tag c/d:2", "8:6 opaque e/f:1", "10:7 tag g/h:1",]
    );
    assert_eq!(
        changed(text, &pinned(D, text)),
        ["  a/b:1@NINES \\", "ONBUILD COPY --from=c/d:2@NINES \\", "FROM \"g/h:1@NINES\"",]
    );
}

#[test]
fn arguments_have_a_scope() {
    let text = "ARG A=\"a/b:1\"\nARG B\nARG C=scratch\nFROM $A\nFROM $B\nFROM ${C}\nARG D=c/d:1\nFROM ${D}\nFROM ${B}-x\n";
    assert_eq!(
        listed(D, text),
        [
            "1:8 tag a/b:1",
            "3:7 scratch scratch",
            "5:6 opaque $B",
            "8:6 opaque ${D}",
            "9:6 opaque ${B}-x",
        ]
    );
    assert_eq!(changed(text, &pinned(D, text)), ["ARG A=\"a/b:1@NINES\""]);
}

#[test]
fn an_argument_that_is_a_part_of_a_name_is_never_pinned() {
    let text = "ARG A=a/b:1\nARG F=${A}-full\nARG G=$A\nFROM $A\nFROM ${F}\nFROM $G\n";
    assert_eq!(listed(D, text), ["2:7 opaque ${A}-full", "3:7 opaque $A", "4:6 opaque $A"]);
    let chain = "ARG A=a/b:1\nARG G=$A\nFROM $G\n";
    assert_eq!(listed(D, chain), ["1:7 tag a/b:1"]);
    assert_eq!(changed(chain, &pinned(D, chain)), ["ARG A=a/b:1@NINES"]);
}

#[test]
fn one_instruction_stands_behind_onbuild_and_no_more() {
    let text = format!("{}FROM a/b:1\n", "ONBUILD ".repeat(500_000));
    assert_eq!(listed(D, &text), Vec::<String>::new());
}

#[test]
fn a_comment_above_can_ask_to_be_left_alone() {
    let text = "# indelible: ignore\nFROM a/b:1\nFROM c/d:1\n";
    assert_eq!(changed(text, &pinned(D, text)), ["FROM c/d:1@NINES"]);
}
