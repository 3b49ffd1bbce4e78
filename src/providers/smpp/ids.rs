//! One form for the ids of a carrier that writes them one way in submit_sm_resp and another way in receipts.

use std::collections::{BTreeMap, VecDeque};

use crate::config::IdForm;
use crate::providers::{OtherForms, Trust};

/// Ids that are remembered to find the form of a receipt's.
const REMEMBERED: usize = 10_000;
/// Receipts without a known message that are remembered: those that came before their submit_sm_resp.
const EARLY: usize = 1_000;

/// The ids of late, each with the recipient's digits.
#[derive(Default)]
pub struct Ids {
    form: Option<IdForm>,
    by_id: BTreeMap<String, String>,
    order: VecDeque<String>,
    /// Each with the numbers that its receipt names.
    early: VecDeque<(String, Vec<String>)>,
}

impl Ids {
    /// None yet.
    pub fn new(form: IdForm) -> Ids {
        Ids { form: Some(form), ..Ids::default() }
    }

    /// The id of a submit_sm_resp in the form that is kept.
    pub fn submitted(&mut self, id: &str, to: &str) -> String {
        let kept = match self.form {
            Some(IdForm::HexToDecimal) => decimal_of(id).unwrap_or_else(|| plain(id)),
            Some(IdForm::DecimalToHex) => hex_of(id).unwrap_or_else(|| plain(id)),
            Some(IdForm::Auto) => self.early_form(id, to).unwrap_or_else(|| plain(id)),
            _ => plain(id),
        };
        if self.form == Some(IdForm::Auto) && self.by_id.insert(kept.clone(), digits(to)).is_none() {
            self.order.push_back(kept.clone());
            if self.order.len() > REMEMBERED {
                self.order.pop_front().map(|old| self.by_id.remove(&old));
            }
        }
        kept
    }

    /// The id of a receipt, in the form that is kept where one remembered message to one of its `addresses` has it: ids of
    /// two forms may be equal by chance. Else as it came. With it how else it may be written, for those who know what was
    /// sent before this process began.
    pub fn receipted(&mut self, id: &str, addresses: &[&str]) -> (String, Option<OtherForms>) {
        let same = plain(id);
        let mut ids: Vec<String> = [hex_of(id), decimal_of(id)].into_iter().flatten().collect();
        ids.retain(|other| *other != same);
        if self.form != Some(IdForm::Auto) || ids.is_empty() {
            return (same, None);
        }
        let numbers: Vec<String> =
            addresses.iter().map(|text| digits(text)).filter(|number| !number.is_empty()).collect();
        let trust = if same.bytes().all(|byte| byte.is_ascii_digit()) { Trust::None } else { Trust::Letters };
        let forms = OtherForms { ids, trust, numbers };
        let is_meant = |form: &&String| self.by_id.get(*form).is_some_and(|to| forms.is_about(to));
        let meant: Vec<&String> = std::iter::once(&same).chain(&forms.ids).filter(is_meant).collect();
        if let [one] = meant.as_slice() {
            let one = String::from(*one);
            let ids = std::iter::once(same).chain(forms.ids).filter(|other| *other != one).collect();
            return (one, Some(OtherForms { ids, trust: Trust::Remembered, ..forms }));
        }
        if meant.is_empty() && !forms.numbers.is_empty() {
            self.early.push_back((same.clone(), forms.numbers.clone()));
            if self.early.len() > EARLY {
                self.early.pop_front();
            }
        }
        (same, Some(forms))
    }

    /// The form in which a receipt of this message came already: kept so, the two meet.
    fn early_form(&mut self, id: &str, to: &str) -> Option<String> {
        let forms = [Some(plain(id)), hex_of(id), decimal_of(id)];
        let is_it = |(known, whose): &(String, Vec<String>)| {
            let whose = OtherForms { ids: Vec::new(), trust: Trust::None, numbers: whose.clone() };
            forms.contains(&Some(known.clone())) && whose.is_about(to)
        };
        let at = self.early.iter().position(is_it)?;
        self.early.remove(at).map(|(known, _)| known)
    }
}

/// Without leading zeros, and hex digits in lower case.
fn plain(id: &str) -> String {
    if !id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
        return String::from(id);
    }
    let short = id.trim_start_matches('0');
    if short.is_empty() { String::from("0") } else { short.to_ascii_lowercase() }
}

fn hex_of(id: &str) -> Option<String> {
    id.parse::<u128>().ok().map(|number| format!("{number:x}"))
}

fn decimal_of(id: &str) -> Option<String> {
    u128::from_str_radix(id, 16).ok().map(|number| number.to_string())
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is kept of a response's id, and what a receipt's becomes.
    fn pair(form: IdForm, response: &str, receipt: &str) -> (String, String) {
        let mut ids = Ids::new(form);
        let kept = ids.submitted(response, "+447700900123");
        let (found, _) = ids.receipted(receipt, &["447700900123", "ACME"]);
        (kept, found)
    }

    #[test]
    fn the_forms_that_carriers_use_meet() {
        for (form, response, receipt) in [
            (IdForm::Auto, "00001001", "00001001"),
            (IdForm::Auto, "00001009", "1009"),
            (IdForm::Auto, "00001009", "4105"),
            (IdForm::Auto, "4105", "1009"),
            (IdForm::Auto, "A1B2-C3", "a1b2-c3"),
            (IdForm::Auto, "zX-9", "zX-9"),
            (IdForm::AsIs, "0A", "a"),
            (IdForm::HexToDecimal, "00001009", "4105"),
            (IdForm::HexToDecimal, "ff", "0255"),
            (IdForm::DecimalToHex, "4105", "00001009"),
            (IdForm::DecimalToHex, "255", "FF"),
        ] {
            let (kept, found) = pair(form, response, receipt);
            assert_eq!(kept, found, "{form} {response} {receipt}");
        }
        let (kept, found) = pair(IdForm::AsIs, "00001009", "4105");
        assert_ne!(kept, found);
    }

    #[test]
    fn a_receipt_that_comes_first_decides_the_form() {
        for (receipt, response) in [("4105", "00001009"), ("1009", "4105"), ("1009", "00001009")] {
            let mut ids = Ids::new(IdForm::Auto);
            let (parked, _) = ids.receipted(receipt, &["447700900123"]);
            assert_eq!(ids.submitted(response, "+447700900123"), parked, "{receipt} {response}");
            let (next, forms) = ids.receipted(receipt, &["447700900123"]);
            assert_eq!((next, forms.unwrap().trust), (parked, Trust::Remembered), "and the next one meets it too");
        }
        let mut ids = Ids::new(IdForm::Auto);
        ids.receipted("4105", &["447700900124"]);
        assert_eq!(ids.submitted("1009", "+447700900123"), "1009", "a receipt of another number");
        for n in 0..EARLY + 50 {
            ids.receipted(&(n + 10).to_string(), &["447700900123"]);
        }
        assert_eq!(ids.early.len(), EARLY);
    }

    #[test]
    fn another_form_is_not_taken_for_another_number() {
        let mut ids = Ids::new(IdForm::Auto);
        let kept = ids.submitted("1009", "+447700900123");
        let (id, forms) = ids.receipted("4105", &["447700900123"]);
        assert_eq!((id, forms.unwrap().trust), (kept, Trust::Remembered));
        for address in ["447700900124", ""] {
            let (id, forms) = ids.receipted("4105", &[address]);
            assert_eq!((id.as_str(), forms.unwrap().ids), ("4105", vec![String::from("1009"), String::from("16645")]));
        }
    }

    #[test]
    fn an_equal_id_of_another_number_is_not_taken_either() {
        let mut ids = Ids::new(IdForm::Auto);
        ids.submitted("1009", "+447700900124");
        let (id, forms) = ids.receipted("1009", &["447700900123"]);
        let forms = forms.unwrap();
        assert_eq!((id.as_str(), forms.trust), ("1009", Trust::None));
        // Two messages to one number: nobody can say which.
        ids.submitted("3f1", "+447700900125");
        ids.submitted("1009", "+447700900125");
        assert_eq!(ids.receipted("1009", &["447700900125"]).1.unwrap().trust, Trust::None);
        // Where no other form can be meant, nothing is asked of the number.
        assert_eq!(ids.receipted("a1b2-c3", &["447700900123"]), (String::from("a1b2-c3"), None));
        assert_eq!(ids.receipted("7", &[""]), (String::from("7"), None));
        assert_eq!(ids.receipted("3f2", &["447700900123"]).1.unwrap().trust, Trust::Letters);
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let mut ids = Ids::new(IdForm::Auto);
        for id in 0..REMEMBERED + 50 {
            ids.submitted(&format!("{id:x}"), "+447700900123");
        }
        assert_eq!((ids.by_id.len(), ids.order.len()), (REMEMBERED, REMEMBERED));
    }
}
