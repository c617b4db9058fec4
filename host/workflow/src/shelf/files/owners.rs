//! Which file has a reference that several ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Known;
use crate::Template;

/// Namespace, name and version.
type Reference = (String, String, semver::Version);

/// What is wrong with each file that asks for what another has. A file that has a reference and still says it goes before
/// any other; of files that ask for a new one, the first by name.
pub(super) fn clashes(files: &BTreeMap<String, Known>) -> BTreeMap<String, String> {
    // Those that stay with what they have. It only grows: who cannot move does not make room for others either.
    let mut held: BTreeSet<&String> = BTreeSet::new();
    loop {
        let mut owners: BTreeMap<Reference, &String> = BTreeMap::new();
        let wanted = |name: &String, known: &Known| {
            let read = known.read.as_ref().filter(|_| !held.contains(name));
            read.or(known.live.as_ref()).map(reference)
        };
        for moves in [false, true] {
            for (name, known) in files {
                if let Some(wanted) = wanted(name, known)
                    && moves == (known.live.as_ref().map(reference).as_ref() != Some(&wanted))
                {
                    owners.entry(wanted).or_insert(name);
                }
            }
        }
        let lost: Vec<&String> = files
            .iter()
            .filter(|(name, known)| wanted(name, known).is_some_and(|wanted| owners.get(&wanted) != Some(name)))
            .map(|(name, _)| name)
            .collect();
        if lost.is_empty() {
            let clash = |name: &&String| {
                let read = files.get(*name)?.read.as_ref()?;
                let owner = owners.get(&reference(read))?;
                Some(((*name).clone(), clash(name, owner, &read.plan().reference())))
            };
            return held.iter().filter_map(clash).collect();
        }
        held.extend(lost);
    }
}

fn reference(template: &Arc<Template>) -> Reference {
    let plan = template.plan();
    (plan.namespace.clone(), plan.name.clone(), template.version().clone())
}

fn clash(file: &str, owner: &str, reference: &str) -> String {
    format!("{file}: `{reference}` is in another file already: `{owner}`; give one of them another name or version")
}
