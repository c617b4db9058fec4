//! Lists the hostile guests as an enumeration, so that one without a row in the table of `src/hostile/rows.rs` does not
//! compile.

use std::fmt::Write;
use std::path::Path;

fn main() {
    // Asked when it runs: checkouts that share one target folder also share this script, once built.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let folder = Path::new(&package).join("guests/hostile");
    println!("cargo::rerun-if-changed={}", folder.display());
    let files = std::fs::read_dir(&folder).expect("tests/guests/hostile can be read");
    let mut guests: Vec<(String, String)> = files
        .map(|file| file.expect("tests/guests/hostile can be read").path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs" || extension == "wat"))
        .filter_map(|file| {
            let name = file.file_stem()?.to_str()?.to_owned();
            Some((camel_case(&name), name))
        })
        .collect();
    guests.sort();
    let mut code = String::from("/// The guests of `tests/guests/hostile`.\n");
    code += "#[derive(Debug, Clone, Copy, PartialEq, Eq)]\n#[expect(missing_docs, reason = \"each says it in its own file\")]\n";
    code += "pub enum Guest {\n";
    for (variant, _) in &guests {
        writeln!(code, "    {variant},").expect("a text can be written to");
    }
    code += "}\n\nimpl Guest {\n    /// All of them.\n    pub const ALL: &[Self] = &[";
    for (variant, _) in &guests {
        write!(code, "Self::{variant}, ").expect("a text can be written to");
    }
    code += "];\n\n    /// The file's name without its extension.\n    pub const fn name(self) -> &'static str {\n        match self {\n";
    for (variant, name) in &guests {
        writeln!(code, "            Self::{variant} => {name:?},").expect("a text can be written to");
    }
    code += "        }\n    }\n}\n";
    let out = std::env::var_os("OUT_DIR").expect("cargo sets it");
    std::fs::write(Path::new(&out).join("hostile_guests.rs"), code).expect("the build folder can be written to");
}

fn camel_case(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    name.split('_').map(word).collect()
}
