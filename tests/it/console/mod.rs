//! The console: its contract with the admin API, its pages as a browser without scripts would use them.

mod contract;
mod faults;
mod views;
mod words;
