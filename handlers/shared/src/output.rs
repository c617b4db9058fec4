//! What is told of a program that has ended.

use bulkhead_sdk::Exit;
use serde::Serialize;

/// The most of each stream, as it is written in JSON: both together, and the rest, stay within a result of 1 MiB.
const MAX_STREAM: usize = 384 << 10;

/// The result of an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Output {
    exit_code: i32,
    stdout: String,
    stderr: String,
    wall_ms: u64,
    cpu_ms: u64,
    peak_memory_bytes: u64,
    truncated: bool,
    out_of_memory: bool,
}

/// What an end becomes; output that is not UTF-8 has `U+FFFD` in its place, and too much of it is cut.
pub fn output(exit: &Exit) -> Output {
    let (stdout, stderr) = (exit.stdout_text(), exit.stderr_text());
    let (out, err) = (fitting(&stdout), fitting(&stderr));
    Output {
        exit_code: exit.code,
        truncated: exit.truncated || out.len() < stdout.len() || err.len() < stderr.len(),
        stdout: out.to_owned(),
        stderr: err.to_owned(),
        wall_ms: exit.usage.wall_ms,
        cpu_ms: exit.usage.cpu_ms,
        peak_memory_bytes: exit.usage.peak_memory_bytes,
        out_of_memory: exit.out_of_memory,
    }
}

/// The beginning that fits.
fn fitting(text: &str) -> &str {
    let mut written = 0;
    for (place, character) in text.char_indices() {
        written += written_length(character);
        if written > MAX_STREAM {
            return &text[..place];
        }
    }
    text
}

/// How many bytes a character takes in JSON.
fn written_length(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..'\u{20}' => 6,
        _ => character.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use bulkhead_sdk::Usage;

    use super::*;

    #[test]
    fn an_end_is_told_field_by_field() {
        let usage = Usage { wall_ms: 1, cpu_ms: 2, peak_memory_bytes: 3 };
        let exit = Exit { code: 1, stdout: b"out\xff".to_vec(), stderr: b"err".to_vec(), usage, ..Exit::default() };
        let expected = concat!(
            r#"{"exit_code":1,"stdout":"out"#,
            "\u{fffd}",
            r#"","stderr":"err","wall_ms":1,"cpu_ms":2,"peak_memory_bytes":3,"truncated":false,"out_of_memory":false}"#
        );
        assert_eq!(serde_json::to_string(&output(&exit)).expect("JSON"), expected);
    }

    #[test]
    fn too_much_output_is_cut_and_the_result_stays_below_a_mebibyte() {
        for byte in [b'a', b'\n', 0, b'"', 0xff, 0x7f] {
            let exit = Exit { stdout: vec![byte; 4 << 20], stderr: vec![byte; 4 << 20], ..Exit::default() };
            let output = output(&exit);
            assert!(output.truncated, "{byte}");
            let length = serde_json::to_string(&output).expect("JSON").len();
            assert!((700 << 10..1 << 20).contains(&length), "{byte}: {length}");
        }
    }

    #[test]
    fn what_fits_is_whole_and_what_the_host_cut_is_said_to_be() {
        let whole = Exit { stdout: vec![b'a'; MAX_STREAM], ..Exit::default() };
        assert!(!output(&whole).truncated);
        assert!(output(&Exit { truncated: true, ..whole }).truncated);
    }

    #[test]
    fn the_length_of_a_character_is_what_serde_writes() {
        for character in (0..=0x2100).filter_map(char::from_u32) {
            let written = serde_json::to_string(&character.to_string()).expect("JSON").len() - 2;
            assert_eq!(written_length(character), written, "{character:?}");
        }
    }
}
