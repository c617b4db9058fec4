//! Prints what is seen of the protocol as it should be, and of each flaw.
//!
//! With the name of a flaw or scenario, as the table has it, only that; and the steps to what breaks.

use std::io::{self, Write};

use bulkhead_model::{Figures, Flaw, LeaseModel, Scenario};

fn main() -> io::Result<()> {
    let asked: Option<String> = std::env::args().nth(1);
    let mut out = io::stdout().lock();
    writeln!(out, "| protocol | scenario | unique states | depth | seconds | breaks | in steps |")?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    let sound = Scenario::ALL.into_iter().map(LeaseModel::sound);
    for model in sound.chain(Flaw::ALL.into_iter().map(Flaw::model)) {
        let protocol = model.flaw.map_or_else(|| "as it should be".to_owned(), |flaw| format!("{flaw:?}"));
        let scenario = model.scenario.name;
        if asked.as_ref().is_some_and(|asked| *asked != protocol && *asked != scenario) {
            continue;
        }
        let figures = Figures::of(model);
        let (property, steps) = match &figures.broken[..] {
            [(property, steps), ..] => (*property, steps.len().to_string()),
            [] => ("nothing", String::new()),
        };
        writeln!(
            out,
            "| {protocol} | {scenario} | {} | {} | {:.2} | {property} | {steps} |",
            figures.unique_states,
            figures.depth,
            figures.elapsed.as_secs_f64(),
        )?;
        if asked.is_some() {
            for step in figures.broken.iter().flat_map(|(_, steps)| steps) {
                writeln!(out, "  {step:?}")?;
            }
        }
        for name in &figures.impossible {
            writeln!(out, "not possible, and should be: {name}")?;
        }
    }
    Ok(())
}
