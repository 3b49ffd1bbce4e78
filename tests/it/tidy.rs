//! The law and the style as tests: a rule that is not checked is a wish.

pub mod codes;
mod law;
mod pages;
mod sizes;
pub mod source;
mod words;

use source::rust_files;

/// Joins what is wrong into one failure, so that one run shows all of it.
fn assert_none(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}\n  {}\n", faults.join("\n  "));
}

#[test]
fn a_module_uses_only_modules_listed_above_it() {
    let modules = law::modules_in_reading_order();
    let faults: Vec<_> = rust_files("src").iter().flat_map(|file| law::faults(file, &modules)).collect();
    assert_none("src/lib.rs lists the modules in reading order; these point down:", &faults);
}

#[test]
fn files_and_functions_fit_on_a_screen() {
    let files = rust_files("src").into_iter().chain(rust_files("tests"));
    let faults: Vec<_> = files.flat_map(|file| sizes::faults(&file)).collect();
    assert_none("A file has at most 400 lines, a function 70:", &faults);
}

#[test]
fn sql_stays_in_the_stores() {
    let faults: Vec<_> = rust_files("src").iter().flat_map(words::sql_outside_stores).collect();
    assert_none("SQL belongs in a room's store.rs or in src/db:", &faults);
}

#[test]
fn nothing_is_left_undone_or_able_to_panic() {
    let faults: Vec<_> = rust_files("src").iter().flat_map(words::banned).collect();
    assert_none("Not outside tests:", &faults);
}

#[test]
fn tests_set_the_time_and_never_sleep() {
    let faults: Vec<_> = rust_files("tests").iter().flat_map(words::sleeping).collect();
    assert_none("Set the clock, or wait for a state with harness::wait:", &faults);
}

#[test]
fn every_error_code_is_used_or_reserved_by_name() {
    assert_none("Codes of the registry:", &codes::faults(&rust_files("src")));
}

#[test]
fn the_pages_are_there_and_the_map_is_true() {
    assert_none("Pages:", &pages::faults(&law::modules_in_reading_order()));
}

#[test]
fn no_line_names_the_machine_it_was_written_on() {
    assert_none("Private to a machine:", &pages::private_lines());
}
