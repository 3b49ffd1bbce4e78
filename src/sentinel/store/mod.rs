//! All SQL of the sentinel.

mod decisions;
mod holds;
mod past;
mod reports;
mod simulations;

pub use decisions::{DecisionRow, Wanted, find_decision, find_passed, list_passed, list_refused};
pub use holds::{HoldRow, changed_holds, end_hold, find_hold, insert_holds, list_holds, open_holds, purge_holds};
pub use past::{Outcome, Sent, Typed, ids_after, outcomes_after, sent_among, sent_between, typed_after};
pub use reports::{refusal_counts, released_by_hand};
pub use simulations::{
    PastSend, SimulationRow, Span, claim_simulation, end_simulation, find_simulation, insert_simulation,
    list_simulations, past_refusals, past_sends, purge_simulations, simulations_in,
};
