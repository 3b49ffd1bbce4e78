//! All SQL of the WhatsApp room: `numbers` (with their portfolios), `contacts` (windows), `people` (user ids).

mod contacts;
mod numbers;
mod people;

pub(super) use contacts::{count_since, load_window, portfolios_in_use, purge_contacts, save_window, used_now};
pub(super) use numbers::{
    delete_number, find_number, find_number_by_phone, find_portfolio, insert_number, insert_portfolio, list_numbers,
    load_numbers, load_portfolios, lock_portfolio, numbers_at_meta, numbers_in, update_number, update_portfolio,
};
pub(super) use people::{note_person, phones, purge_people, user_ids};
