//! The model as the checker sees it.

use stateright::{Model, Property};

use crate::{Action, Flaw, Scenario, State, choices, property, step};

/// The protocol in one scenario: as it should be, or with one flaw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseModel {
    /// The bounds.
    pub scenario: Scenario,
    /// What is done wrong, if anything.
    pub flaw: Option<Flaw>,
    /// Only this property is looked at; all where absent.
    pub only: Option<&'static str>,
}

impl LeaseModel {
    /// The protocol as it should be, with everything that must hold and be possible.
    pub const fn sound(scenario: Scenario) -> Self {
        Self { scenario, flaw: None, only: None }
    }

    /// The protocol with a flaw, and one property that it should break.
    pub const fn flawed(scenario: Scenario, flaw: Flaw, property: &'static str) -> Self {
        Self { scenario, flaw: Some(flaw), only: Some(property) }
    }
}

impl Model for LeaseModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::initial(&self.scenario)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.is_calm {
            choices::in_calm(self.flaw, state, actions);
        } else {
            choices::in_storm(&self.scenario, self.flaw, state, actions);
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let after = step::step(self.flaw, before, action);
        (after != *before).then_some(after)
    }

    fn within_boundary(&self, state: &State) -> bool {
        state.now.0 <= self.scenario.last_tick()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = property::required();
        match self.only {
            Some(only) => properties.retain(|property| property.name == only),
            None => properties.extend(property::possible(self)),
        }
        properties
    }
}
