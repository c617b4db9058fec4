//! Changes to a component that leave its frame standing, so that more than the first few bytes of it are read.

use std::ops::Range;

use arbitrary::{Result, Unstructured};

/// Magic and version, of a module as of a component.
const HEADER: usize = 8;
/// Sections that hold a frame of their own: in a component, a core module and a component.
const NESTED: [u8; 2] = [1, 4];
/// How deep frames are looked into.
const DEPTH: u32 = 3;

/// One section: its id, all of it, and its content.
#[derive(Debug, Clone)]
struct Section {
    id: u8,
    content: Range<usize>,
}

/// The component with one change, made by chance; none where it has no frame.
///
/// `content` changes the bytes of one section and may change their number.
pub fn mutate(bytes: &[u8], seed: u32, content: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> Option<Vec<u8>> {
    // Chance enough for every choice below.
    let chance: Vec<u8> = (0..64u32)
        .map(|step| (seed.wrapping_add(step).wrapping_mul(0x9e37_79b9) ^ (seed >> (step % 24))).to_le_bytes()[3])
        .collect();
    change(bytes, DEPTH, &mut Unstructured::new(&chance), content).ok().flatten()
}

fn change(
    bytes: &[u8],
    depth: u32,
    chance: &mut Unstructured<'_>,
    content: &mut dyn FnMut(&[u8]) -> Vec<u8>,
) -> Result<Option<Vec<u8>>> {
    let Some(sections) = sections(bytes).filter(|sections| !sections.is_empty()) else { return Ok(None) };
    let at = chance.choose_index(sections.len())?;
    let other = chance.choose_index(sections.len())?;
    let mut parts: Vec<(u8, Vec<u8>)> =
        sections.iter().map(|section| (section.id, bytes[section.content.clone()].to_vec())).collect();
    match chance.int_in_range(0..=9)? {
        0 => drop(parts.remove(at)),
        1 => parts.insert(other, parts[at].clone()),
        2 => parts.swap(at, other),
        3..=5 => {
            // In place, so that what is inside keeps its frame too.
            let (_, part) = &mut parts[at];
            for _ in 0..=chance.int_in_range(0..=3)? {
                if !part.is_empty() {
                    let place = chance.choose_index(part.len())?;
                    part[place] = part[place].wrapping_add(*chance.choose(&[1, 2, 0xff, 0x40, 0x80])?);
                }
            }
        }
        _ => {
            let (id, part) = &mut parts[at];
            let inner = if depth > 0 && NESTED.contains(id) { change(part, depth - 1, chance, content)? } else { None };
            *part = inner.unwrap_or_else(|| content(part));
        }
    }
    let mut changed = bytes[..HEADER].to_vec();
    for (id, part) in parts {
        changed.push(id);
        write_length(&mut changed, part.len());
        changed.extend_from_slice(&part);
    }
    Ok(Some(changed))
}

fn sections(bytes: &[u8]) -> Option<Vec<Section>> {
    if bytes.len() < HEADER || !bytes.starts_with(b"\0asm") {
        return None;
    }
    let mut found = Vec::new();
    let mut at = HEADER;
    while at < bytes.len() {
        let id = bytes[at];
        let (length, taken) = read_length(&bytes[at + 1..])?;
        let begin = at + 1 + taken;
        let end = begin.checked_add(length).filter(|end| *end <= bytes.len())?;
        found.push(Section { id, content: begin..end });
        at = end;
    }
    Some(found)
}

/// A number of seven bits a byte, and how many bytes it takes.
fn read_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((length, index + 1));
        }
    }
    None
}

fn write_length(bytes: &mut Vec<u8>, mut length: usize) {
    while length > 0x7f {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
}
