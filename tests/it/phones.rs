//! Phone numbers: never a panic, one canonical form, and agreement with the reference implementation.

use postern::phone::{Country, Phone};
use proptest::prelude::*;

/// Text, country, E.164 where valid, region: as the reference's own metadata says (`phonenumbers` 9.0.43 for Python).
type Case = (String, Option<String>, Option<String>, Option<String>);

/// Texts on which the two may differ, each with its reason.
const EXCEPTIONS: [&str; 0] = [];

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../fixtures/phones.json")).unwrap()
}

fn parse(text: &str, country: Option<&str>) -> Option<Phone> {
    Phone::parse(text, country.map(|code| code.parse().unwrap())).ok()
}

#[test]
fn validity_and_canonical_form_agree_with_the_reference() {
    let cases = cases();
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(text, ..)| !EXCEPTIONS.contains(&text.as_str()))
        .filter_map(|(text, country, wanted, _)| {
            let got = parse(text, country.as_deref()).map(|phone| phone.e164().to_owned());
            (got != *wanted).then(|| format!("{text:?} in {country:?}: {got:?}, wanted {wanted:?}"))
        })
        .collect();
    assert!(cases.len() >= 1_500 && wrong.len() * 1_000 <= cases.len(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_country_agrees_with_the_reference() {
    let cases = cases();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, country, e164, region)| {
            e164.as_ref()?;
            let got = parse(text, country.as_deref())?.country();
            (Some(got.as_str()) != region.as_deref()).then(|| format!("{text:?}: {got}, wanted {region:?}"))
        })
        .collect();
    assert!(wrong.len() * 1_000 <= cases.len(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Pieces of numbers, and of what has broken number parsers before.
fn noise() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        5 => "[0-9]{1,6}",
        2 => Just("+".to_owned()),
        1 => Just("00".to_owned()),
        1 => prop_oneof![
            Just(";phone-context="), Just(";ext="), Just(";isub="), Just("tel:"), Just(" x"), Just("//"), Just("("),
            Just(")"), Just("-"), Just("\u{200e}"), Just("\u{202e}"), Just("\u{ad}"), Just("٣"), Just("７"), Just("＋"),
            Just("*"), Just("#"), Just("~"), Just("\0"), Just("+dw"), Just("é"), Just("𝟙")
        ].prop_map(str::to_owned),
        1 => "\\PC{0,8}",
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

fn country() -> impl Strategy<Value = Option<Country>> {
    let codes = ["US", "GB", "DE", "IT", "AR", "MX", "BR", "ZZ", "001", "SM", "KZ"];
    prop::option::of(prop::sample::select(codes.to_vec()).prop_map(|code| code.parse().unwrap()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_and_what_parses_is_canonical(text in noise(), country in country()) {
        if let Ok(phone) = Phone::parse(&text, country) {
            let again = Phone::parse(phone.e164(), None).unwrap();
            prop_assert_eq!(&again, &phone);
            prop_assert!(phone.e164().starts_with('+') && phone.e164()[1..].bytes().all(|b| b.is_ascii_digit()));
            prop_assert!((4..=16).contains(&phone.e164().len()), "{}", phone.e164());
            let shown = format!("{phone} {phone:?}");
            prop_assert!(!shown.contains(phone.e164()));
        }
    }

    #[test]
    fn any_bytes_at_all_are_survived(text in any::<String>(), country in country()) {
        drop(Phone::parse(&text, country));
        let _ = text.parse::<Country>();
    }

    #[test]
    fn spellings_of_one_number_are_equal(n in 0u32..100_000, blanks in prop::collection::vec(0usize..13, 0..5)) {
        let e164 = format!("+4474001{n:05}");
        prop_assume!(Phone::parse(&e164, None).is_ok());
        let mut text: Vec<char> = e164.chars().collect();
        let mut places = blanks;
        places.sort_unstable();
        for place in places.into_iter().rev() {
            text.insert(place.clamp(1, text.len()), [' ', '-', '.', '\u{a0}'][place % 4]);
        }
        let spelled: String = text.into_iter().collect();
        let phone = Phone::parse(&spelled, None).unwrap();
        prop_assert_eq!(phone.e164(), e164.as_str(), "{}", spelled);
    }
}

#[test]
fn ten_thousand_characters_are_refused_at_once() {
    for text in ["1".repeat(10_240), "+".repeat(10_240), "é".repeat(10_240), format!("+1{}", " ".repeat(10_240))] {
        assert!(Phone::parse(&text, None).is_err());
    }
}
