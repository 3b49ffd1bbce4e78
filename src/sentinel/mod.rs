//! The fraud engine's upkeep: what it learns from the tables, the holds it asked for, the rules that operators set, the
//! decisions it made and what other rules would have made of them.

mod decisions;
mod holds;
mod http;
mod learn;
mod ledger;
mod report;
mod rules;
mod settings;
mod simulation;
mod store;

pub use decisions::{DecisionEntry, DecisionReport, report_decision, report_passed};
pub use holds::{HoldView, forget_hold, keep_holds, release};
pub use http::{SentinelDocs, configure};
pub use learn::learn;
pub use ledger::{DecisionLine, list_all_decisions};
pub use report::{
    FraudSpan, FraudSummary, HeatList, HeatRow, RefusalCount, RuleStats, RuleStatsList, TopBy, TopList, TopRow,
    fraud_heat, fraud_summary, fraud_top, rule_stats, since_of,
};
pub use rules::{FraudRules, set_rule, set_rules, show_rules};
pub use simulation::{
    SimulationResult, SimulationSpec, SimulationView, find_simulation, list_simulations, order_simulation,
    run_simulations, simulate,
};
pub use store::{HoldRow, Wanted as WantedDecisions, find_hold, list_holds, purge_holds, purge_simulations};
