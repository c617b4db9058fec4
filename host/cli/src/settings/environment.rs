//! The names in the environment that mean something, all of them.
//!
//! | name | means |
//! |---|---|
//! | `BULKHEAD_TABLE__KEY` | the setting `key` of `[table]`, e.g. `BULKHEAD_WORKER__MAX_CONCURRENT=8`; deeper tables by further `__` |
//! | `WORKER_CAPS` | `worker.caps`: tags with commas or spaces between, or `auto` |
//! | `WORKER_PLUGINS` | `worker.plugins`: handler names with commas between |
//! | `BULKHEAD_CONFIG` | the settings file |
//! | `BULKHEAD_URL` | the host that commands talk to |

/// Tables whose keys are names that others chose and in which small and large letters differ; `*` is any one name.
/// Names in the environment are the same in either, so that such a key cannot be told there.
const CASE_SENSITIVE: [&[&str]; 3] = [&["limits"], &["workflow", "callables"], &["gpu", "programs", "*", "env"]];

/// A setting that the environment makes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FromEnvironment {
    /// The name in the environment.
    pub(super) name: String,
    /// The tables and the key.
    pub(super) path: Vec<String>,
    /// The value: TOML where it can be read as such, else text.
    pub(super) value: toml::Value,
}

impl FromEnvironment {
    /// The table, where it would set a key whose letters the environment's names cannot tell.
    pub(super) fn case_sensitive_table(&self) -> Option<String> {
        let begins = |table: &&&[&str]| {
            let matches = |(name, part): (&&str, &String)| *name == "*" || name == part;
            self.path.len() > table.len() && table.iter().zip(&self.path).all(matches)
        };
        CASE_SENSITIVE.iter().find(begins).map(|table| self.path[..table.len()].join("."))
    }
}

/// Picks out what means a setting.
pub(super) fn read(variables: impl Iterator<Item = (String, String)>) -> Vec<FromEnvironment> {
    let mut found: Vec<FromEnvironment> = variables
        .filter_map(|(name, value)| {
            let (path, value) = match name.as_str() {
                "WORKER_CAPS" => (vec!["worker".to_owned(), "caps".to_owned()], toml::Value::String(value)),
                "WORKER_PLUGINS" => {
                    let names = value.split([',', ' ']).filter(|name| !name.is_empty());
                    let names = names.map(|name| toml::Value::String(name.to_owned())).collect();
                    (vec!["worker".to_owned(), "plugins".to_owned()], toml::Value::Array(names))
                }
                _ => {
                    let rest = name.strip_prefix("BULKHEAD_")?;
                    let path: Vec<String> = rest.split("__").map(str::to_ascii_lowercase).collect();
                    (path.len() > 1).then(|| (path, parse(&value)))?
                }
            };
            Some(FromEnvironment { name, path, value })
        })
        .collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

fn parse(text: &str) -> toml::Value {
    match toml::from_str::<toml::Table>(&format!("value = {text}")) {
        Ok(mut table) if table.len() == 1 => table.remove("value"),
        _ => None,
    }
    .unwrap_or_else(|| toml::Value::String(text.to_owned()))
}
