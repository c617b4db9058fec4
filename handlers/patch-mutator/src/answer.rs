//! Where the diff is in what a model says.

/// A block between fences.
struct Block<'a> {
    label: &'a str,
    lines: Vec<&'a str>,
    is_closed: bool,
}

/// The lines of the one diff of an answer: those of its ```` ```diff ```` block; of the block that holds a diff, where none is
/// called so; or all of them, where there is no such block.
pub(crate) fn diff(answer: &str) -> Result<Vec<&str>, String> {
    let blocks = blocks(answer);
    let called = |block: &&Block| matches!(block.label.to_ascii_lowercase().as_str(), "diff" | "patch" | "udiff");
    let holding = |block: &&Block| block.lines.iter().any(|line| is_hunk(line));
    let mut found: Vec<&Block> = blocks.iter().filter(called).collect();
    if found.is_empty() {
        found = blocks.iter().filter(holding).collect();
    }
    match found.as_slice() {
        [] => {
            let lines: Vec<&str> = answer.split('\n').collect();
            if lines.iter().any(|line| is_hunk(line)) { Ok(lines) } else { Err("it has no diff".to_owned()) }
        }
        [block] if block.is_closed => Ok(block.lines.clone()),
        [_] => Err("it is cut off: its diff block has no end".to_owned()),
        several => Err(format!("it has {} diff blocks, and not one", several.len())),
    }
}

/// Whether a line begins a hunk.
pub(crate) fn is_hunk(line: &str) -> bool {
    line.starts_with("@@ -")
}

fn blocks(answer: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block> = Vec::new();
    // The fence of the block that is open: lines of a diff never begin with one, since they have a sign before them.
    let mut open: Option<&str> = None;
    for line in answer.split('\n') {
        let plain = line.trim_end();
        let ticks = plain.len() - plain.trim_start_matches('`').len();
        match open {
            None if ticks >= 3 => {
                let label = plain[ticks..].split_whitespace().next().unwrap_or_default();
                blocks.push(Block { label, lines: Vec::new(), is_closed: false });
                open = Some(&plain[..ticks]);
            }
            None => {}
            Some(fence) => {
                if let Some(block) = blocks.last_mut() {
                    if ticks >= fence.len() && ticks == plain.len() {
                        block.is_closed = true;
                        open = None;
                    } else {
                        block.lines.push(line);
                    }
                }
            }
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(answer: &str) -> Result<String, String> {
        diff(answer).map(|lines| lines.join("\n"))
    }

    #[test]
    fn a_diff_is_in_a_block_of_its_own_or_bare() {
        let body = "@@ -1 +1 @@\n-a\n+b";
        for answer in [
            format!("Better so:\n```diff\n{body}\n```\nIt is faster."),
            format!("````Patch \n{body}\n````"),
            format!("```\n{body}\n```"),
            format!("```python\nprint(1)\n```\n\n```text\n{body}\n```"),
            body.to_owned(),
        ] {
            assert_eq!(lines(&answer).as_deref(), Ok(body), "{answer}");
        }
    }

    #[test]
    fn a_fence_inside_of_a_diff_does_not_end_it() {
        let body = "@@ -1,2 +1,2 @@\n ```\n-a\n+```\n```python";
        assert_eq!(lines(&format!("```diff\n{body}\n```")).as_deref(), Ok(body));
    }

    #[test]
    fn no_diff_one_that_is_cut_off_and_several_are_refused() {
        assert_eq!(lines("It is fine as it is."), Err("it has no diff".to_owned()));
        assert_eq!(lines("```python\nprint(1)\n```"), Err("it has no diff".to_owned()));
        assert!(lines("```diff\n@@ -1 +1 @@\n-a").is_err_and(|why| why.contains("cut off")));
        assert!(lines("```diff\n-a\n```\n```diff\n-b\n```").is_err_and(|why| why.contains("2 diff blocks")));
    }
}
