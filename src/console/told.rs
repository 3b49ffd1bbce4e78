//! Sentences that the API tells operators in English, in the reader's language: alerts are stored as a line of text, so
//! that their mail and their row say the same. A sentence is known by its pattern; what stands in its places is taken over
//! as it is. One that no pattern fits is shown in English.

use crate::words::Words;

/// The sentences of alerts. A test holds them against those that write alerts.
pub static SENTENCES: &[&str] = &[
    "Live messages were paused: {1}. By {2}: {3}.",
    "Live messages were resumed: {1}. By {2}: {3}.",
    "The fraud guard holds {1}. In {2}, until {3}; see /v1/admin/fraud/holds/{4}.",
    "Protection against fraud was lowered. By {1}: {2}.",
    "WhatsApp number {1} is blocked: {2}. Nothing goes by it until Meta lets it send again, or its status is set to connected by PATCH /v1/admin/whatsapp/numbers/{3}.",
    "{1} % of a spend cap is spent ({2}). {3} of {4} {5}.",
    "{1} takes nothing for now. Its circuit is open: {2}; see /v1/admin/routes.",
    "A webhook endpoint is called no more. {1}, {2}.",
];

/// What stands in places of theirs and is no name or figure.
pub(super) static PIECES: &[&str] =
    &["Route {1} of carrier {2}", "Carrier {1}", "no reason given", "Meta has stopped it"];

/// What to do next about each kind of alert.
pub(super) static NEXT_STEPS: &[&str] = &[
    "Look at the hold and its decisions; release it if the users are real.",
    "Ask the customer whether the traffic is theirs; raise the cap or let it stop.",
    "Look at the carrier's error codes; drain it or give its traffic another route.",
    "Tell the customer that its endpoint fails; replay the events when it is back.",
    "See who paused and why; resume when the cause is gone.",
    "Ask the customer whether it was meant; raise the protection again if not.",
];

/// `text` in the reader's language.
pub(super) fn told(text: &str, words: Words) -> String {
    let found = SENTENCES.iter().find_map(|sentence| Some((sentence, fit(sentence, text)?)));
    match found {
        Some((sentence, places)) => {
            let places: Vec<String> = places.into_iter().map(|place| piece(place, words)).collect();
            filled(words.say(sentence), &places)
        }
        None => String::from(words.say(text)),
    }
}

fn piece(text: &str, words: Words) -> String {
    let found = PIECES.iter().find_map(|piece| Some((piece, fit(piece, text)?)));
    match found {
        Some((piece, places)) => filled(words.say(piece), &places),
        None => String::from(text),
    }
}

/// What stands in the places of `pattern` where `text` fits it: the shortest that does, from left to right.
fn fit<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut parts = pattern.split('{');
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut places = Vec::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let (_, after) = part.split_once('}')?;
        let at = match parts.peek() {
            Some(_) => rest.find(after)?,
            None => rest.len().checked_sub(after.len()).filter(|_| rest.ends_with(after))?,
        };
        let (place, behind) = rest.split_at_checked(at)?;
        places.push(place);
        rest = behind.get(after.len()..)?;
    }
    rest.is_empty().then_some(places)
}

/// `pattern` with `{1}`, `{2}`… replaced, in whatever order it has them; nothing that was put in is looked at again.
pub(super) fn filled(pattern: &str, places: &[impl AsRef<str>]) -> String {
    let mut parts = pattern.split('{');
    let mut done = String::from(parts.next().unwrap_or_default());
    for part in parts {
        let Some((number, after)) = part.split_once('}') else { continue };
        let place = number.parse::<usize>().ok().and_then(|number| places.get(number.checked_sub(1)?));
        done.push_str(place.map_or("", AsRef::as_ref));
        done.push_str(after);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Language;

    #[test]
    fn a_sentence_is_known_by_its_pattern_and_its_places_are_taken_over() {
        let text = "Live messages were paused: country/LV. By opr_1: pumped: twice.";
        assert_eq!(fit(SENTENCES[0], text), Some(vec!["country/LV", "opr_1", "pumped: twice"]));
        assert_eq!(fit(SENTENCES[1], text), None);
        assert_eq!(filled("{2} von {1}", &["{2}", "b"]), "b von {2}");
        let german = Words::of(Language::asked_by("de"));
        let open = "Carrier acme takes nothing for now. Its circuit is open: errors; see /v1/admin/routes.";
        let told_so = told(open, german);
        assert!(told_so.contains("acme") && told_so.contains("errors") && !told_so.contains("takes"), "{told_so}");
        assert_eq!(told("something new", german), "something new");
        assert_eq!(told(open, Words::of(Language::asked_by("en"))), open);
    }

    #[test]
    fn every_translation_has_every_place() {
        let places = |text: &str| (1..=9).filter(|n| text.contains(&format!("{{{n}}}"))).collect::<Vec<_>>();
        for tag in crate::words::languages() {
            let words = Words::of(Language::asked_by(tag));
            for sentence in SENTENCES.iter().chain(PIECES) {
                assert_eq!(places(words.say(sentence)), places(sentence), "{tag}: {sentence}");
            }
        }
    }
}
