//! What a diff makes of a source.

use super::{Applied, apply};

const SOURCE: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n";

fn applied(source: &str, diff: &str) -> Result<String, String> {
    let Applied { source: new, diff: written } = apply(source, &diff.split('\n').collect::<Vec<_>>())?;
    // What is written down does the same again, wherever the first one was.
    let again = apply(source, &written.split('\n').collect::<Vec<_>>()).expect("the diff that was written");
    assert_eq!((again.source.as_str(), again.diff.as_str()), (new.as_str(), written.as_str()));
    Ok(new)
}

#[track_caller]
fn refused(source: &str, diff: &str, words: &str) {
    let why = applied(source, diff).expect_err(diff);
    assert!(why.contains(words), "{why}");
}

#[test]
fn hunks_keep_remove_and_add_lines() {
    let diff = "--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@ def f():\n one\n-two\n+2\n three\n@@ -7,2 +7,3 @@\n seven\n+7.5\n eight\n";
    assert_eq!(applied(SOURCE, diff).as_deref(), Ok("one\n2\nthree\nfour\nfive\nsix\nseven\n7.5\neight\n"));
    let git = format!("diff --git a/x b/x\nindex 1..2 100644\n{diff}");
    assert_eq!(applied(SOURCE, &git), applied(SOURCE, diff));
}

#[test]
fn a_diff_is_written_with_numbers_that_are_right() {
    let lines: Vec<&str> = "@@ -9,9 +1 @@\n-six\n@@ -1 +1,7 @@\n seven\n+7.5".split('\n').collect();
    let applied = apply(SOURCE, &lines).expect("applied");
    assert_eq!(applied.source, "one\ntwo\nthree\nfour\nfive\nseven\n7.5\neight\n");
    let expected = "--- a/source\n+++ b/source\n@@ -6,1 +5,0 @@\n-six\n@@ -7,1 +6,2 @@\n seven\n+7.5\n";
    assert_eq!(applied.diff, expected);
}

#[test]
fn a_source_that_is_empty_is_filled_and_one_that_is_full_emptied() {
    assert_eq!(applied("", "@@ -0,0 +1,2 @@\n+one\n+two").as_deref(), Ok("one\ntwo\n"));
    assert_eq!(applied("one\n", "@@ -1 +0,0 @@\n-one").as_deref(), Ok(""));
    assert_eq!(applied("one", "@@ -1 +0,0 @@\n-one").as_deref(), Ok(""));
}

#[test]
fn lines_are_added_before_the_first_and_after_the_last() {
    assert_eq!(applied("a\nb\n", "@@ -0,0 +1 @@\n+0").as_deref(), Ok("0\na\nb\n"));
    assert_eq!(applied("a\nb\n", "@@ -2,0 +3 @@\n+c").as_deref(), Ok("a\nb\nc\n"));
    refused("a\nb\n", "@@ -3,0 +4 @@\n+c", "adds after line 3, where nothing can be added");
}

#[test]
fn a_hunk_may_be_elsewhere_where_that_is_the_only_place() {
    assert_eq!(
        applied(SOURCE, "@@ -1,2 +1,2 @@\n five\n-six\n+6").as_deref(),
        Ok("one\ntwo\nthree\nfour\nfive\n6\nseven\neight\n")
    );
    refused("a\nb\na\nb\n", "@@ -2 +2 @@\n-a\n+c", "does not fit at line 2, but at line 1 and at line 3");
    assert_eq!(applied("a\nb\na\nb\n", "@@ -3 +3 @@\n-a\n+c").as_deref(), Ok("a\nb\nc\nb\n"));
}

#[test]
fn context_must_be_exactly_there() {
    refused(SOURCE, "@@ -1,2 +1,2 @@\n one\n-Two\n+2", "hunk 1 fits nowhere: line 2 is `two`, and the diff has `Two`");
    refused(SOURCE, "@@ -1,2 +1,2 @@\n one \n-two\n+2", "line 1 is `one`, and the diff has `one `");
    refused("\tone\n", "@@ -1 +1 @@\n-    one\n+1", "line 1 is `\\tone`");
    refused(SOURCE, "@@ -8,2 +8,1 @@\n eight\n-nine", "the source has 8 lines, and the diff more");
    refused(SOURCE, "@@ -99 +99 @@\n-nine", "the source has 8 lines");
    let long = "x".repeat(100);
    let why = applied(&long, "@@ -1 +1 @@\n-y\n+z").expect_err("another line");
    assert!(why.len() < 200 && why.contains('…'), "{why}");
}

#[test]
fn hunks_are_in_order_and_do_not_overlap() {
    let later = "@@ -7 +7 @@\n-seven\n+7\n";
    refused(SOURCE, &format!("{later}@@ -1 +1 @@\n-one\n+1"), "hunk 2 fits nowhere after the one before it");
    refused(SOURCE, &format!("{later}@@ -7,2 +7,2 @@\n seven\n-eight\n+8"), "hunk 2 fits nowhere");
}

#[test]
fn a_diff_is_of_one_file() {
    let one = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n+1\n";
    refused(SOURCE, &format!("{one}--- a/y\n+++ b/y\n@@ -2 +2 @@\n-two\n+2"), "more than one file");
    refused(SOURCE, &format!("{one}\ndiff --git a/y b/y\n@@ -2 +2 @@\n-two\n+2"), "more than one file");
}

#[test]
fn removed_and_added_lines_may_look_like_a_header() {
    let source = "-- old\nselect 1;\n";
    assert_eq!(applied(source, "@@ -1,2 +1,2 @@\n--- old\n+++ new\n select 1;").as_deref(), Ok("++ new\nselect 1;\n"));
}

#[test]
fn counts_are_not_trusted_and_blank_lines_at_the_end_are_the_answers_own() {
    assert_eq!(applied("a\nb\nc\n", "@@ -1,9 +1,9 @@\n a\n-b\n+B\n c").as_deref(), Ok("a\nB\nc\n"));
    assert_eq!(applied("a\nb\n", "@@ -1,2 +1,2 @@\n a\n-b\n+B\n\n\nThat is faster.").as_deref(), Ok("a\nB\n"));
    assert_eq!(
        applied("a\n\nb\n\n", "@@ -1,4 +1,4 @@\n-a\n+A\n\n b\n\n").as_deref(),
        Ok("A\n\nb\n\n"),
        "blanks were stripped"
    );
    assert_eq!(
        applied("a\nb\nc\nd\n", "@@ -1 +1 @@\n-a\n+A\n\n@@ -4 +4 @@\n-d\n+D\n").as_deref(),
        Ok("A\nb\nc\nD\n"),
        "a blank line between hunks"
    );
}

#[test]
fn what_is_no_diff_is_refused() {
    refused(SOURCE, "", "no hunk");
    refused(SOURCE, "-one\n+1", "no hunk");
    refused(SOURCE, "@@ -x +1 @@\n-one", "does not begin with `@@ -line,count +line,count @@`: `@@ -x +1 @@`");
    refused(SOURCE, "@@ -1,2 +1,2 @@\n one\n two", "hunk 1 changes nothing");
    refused(SOURCE, "@@ -1 +1 @@", "hunk 1 changes nothing");
    refused(SOURCE, "@@ -1,3 +1,3 @@\n-one\n+1\ntwo\n-three\n+3", "has a line without a sign before it: `two`");
    refused(SOURCE, "@@ -1 +1 @@\n-one\n+1\nAnd then:\n@@ -2 +2 @@\n-two\n+2", "without a sign before it: `And then:`");
}

#[test]
fn the_newline_at_the_end_stays_as_it_is_unless_the_diff_says_otherwise() {
    let marker = "\\ No newline at end of file";
    assert_eq!(applied("a\nb", "@@ -2 +2 @@\n-b\n+B").as_deref(), Ok("a\nB"));
    assert_eq!(applied("a\nb", "@@ -1 +1 @@\n-a\n+A").as_deref(), Ok("A\nb"));
    assert_eq!(applied("a\nb", "@@ -2 +2,2 @@\n b\n+c").as_deref(), Ok("a\nb\nc"));
    assert_eq!(applied("a\nb\n", &format!("@@ -2 +2 @@\n-b\n+B\n{marker}\n")).as_deref(), Ok("a\nB"));
    assert_eq!(applied("a\nb", &format!("@@ -2 +2 @@\n-b\n{marker}\n+B\n")).as_deref(), Ok("a\nB\n"));
    assert_eq!(applied("a\nb", &format!("@@ -1,2 +1,2 @@\n-a\n+A\n b\n{marker}")).as_deref(), Ok("A\nb"));
    refused("a\nb\n", &format!("@@ -2 +2 @@\n-b\n{marker}\n+B"), "the source ends with a newline");
    refused("a\nb\n", &format!("@@ -1 +1 @@\n-a\n+A\n{marker}"), "ends where it does not");
    refused("a\nb\n", &format!("@@ -1 +1 @@\n-a\n{marker}\n-b"), "goes on after the end of the file");
}

#[test]
fn a_source_with_crlf_keeps_it_whichever_the_diff_has() {
    for diff in ["@@ -1,2 +1,2 @@\n-a\n+A\n b", "@@ -1,2 +1,2 @@\r\n-a\r\n+A\r\n b\r"] {
        assert_eq!(applied("a\r\nb\r\n", diff).as_deref(), Ok("A\r\nb\r\n"));
    }
    refused("a\r\nb\n", "@@ -1 +1 @@\n-a\n+A", "line 1 is `a\\r`");
}
