//! Language tags (BCP 47), and which of the languages that we have is nearest to one that was asked for.

/// Tags that stand for one of ours. Source: the likely subtags of CLDR, and the languages' usage.
pub const STANDS_FOR: &[(&str, &str)] = &[
    ("zh", "zh-CN"),
    ("zh-hans", "zh-CN"),
    ("zh-sg", "zh-CN"),
    ("zh-hant", "zh-TW"),
    ("zh-hk", "zh-TW"),
    ("zh-mo", "zh-TW"),
    ("pt", "pt-BR"),
    ("pt-ao", "pt-PT"),
    ("pt-cv", "pt-PT"),
    ("pt-gw", "pt-PT"),
    ("pt-mz", "pt-PT"),
    ("pt-st", "pt-PT"),
    ("pt-tl", "pt-PT"),
    ("no", "nb"),
    ("nn", "nb"),
    // The code of Indonesian before ISO 639 changed it; old Java runtimes still send it.
    ("in", "id"),
];

/// The longest tag taken; RFC 5646, section 4.4.1, asks for room for 35 characters.
const MAX_TAG_CHARS: usize = 35;

/// How many ranges of a header are looked at; browsers send fewer than ten.
const MAX_RANGES: usize = 32;

/// Whether `text` has the shape of RFC 5646, section 2.1, without its rare irregular tags; `_` is taken for `-`.
pub fn is_tag(text: &str) -> bool {
    let mut subtags = text.split(['-', '_']);
    let language = subtags.next().unwrap_or_default();
    text.len() <= MAX_TAG_CHARS
        && (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && subtags.all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Which of `tags` is nearest to `asked`: itself, what it stands for, what is left without its last subtags, and at
/// the last one of the same language. Case does not matter, `_` is taken for `-`. Allocates nothing.
pub fn nearest_of<'a>(asked: &str, tags: impl Iterator<Item = &'a str> + Clone) -> Option<usize> {
    let mut tag = asked;
    loop {
        let alias = STANDS_FOR.iter().find(|(alias, _)| is_same(alias, tag)).map(|(_, ours)| *ours);
        let is_it = |one: &str| is_same(one, tag) || alias.is_some_and(|alias| is_same(one, alias));
        if let Some(found) = tags.clone().position(is_it) {
            return Some(found);
        }
        match tag.rsplit_once(['-', '_']) {
            Some((shorter, _)) => tag = shorter,
            None => return tags.clone().position(|one| one.split('-').next().is_some_and(|one| is_same(one, tag))),
        }
    }
}

/// Which of `tags` an `Accept-Language` asks for most (RFC 9110, section 12.5.4; the lookup is that of RFC 4647,
/// section 3.4): the highest q first, among equals the first. A range of q=0 is refused, with what is longer unless
/// that is asked for by name. `*` asks for none in particular. What cannot be read is passed over.
pub fn accepted<'a>(header: &str, tags: impl Iterator<Item = &'a str> + Clone) -> Option<usize> {
    let ranges = || header.split(',').take(MAX_RANGES).filter_map(Range::read);
    let mut best: Option<(u16, Option<usize>)> = None;
    for range in ranges().filter(|range| range.weight > 0) {
        if best.is_some_and(|(weight, _)| weight >= range.weight) {
            continue;
        }
        if range.tag == "*" {
            best = Some((range.weight, None));
            continue;
        }
        let Some(found) = nearest_of(range.tag, tags.clone()) else { continue };
        let ours = tags.clone().nth(found).unwrap_or_default();
        let is_refused = ranges().any(|no| {
            no.weight == 0 && covers(no.tag, ours) && (no.tag.len() > range.tag.len() || no.tag == range.tag)
        });
        if !is_refused {
            best = Some((range.weight, Some(found)));
        }
    }
    best.and_then(|(_, found)| found)
}

/// One member of an `Accept-Language`.
struct Range<'a> {
    tag: &'a str,
    /// The q value in thousandths.
    weight: u16,
}

impl<'a> Range<'a> {
    fn read(text: &'a str) -> Option<Range<'a>> {
        let (tag, weight) = match text.split_once(';') {
            Some((tag, parameter)) => (tag, weight(parameter.trim())?),
            None => (text, 1000),
        };
        let tag = tag.trim();
        (tag == "*" || is_tag(tag)).then_some(Range { tag, weight })
    }
}

/// `q=0.8` in thousandths: RFC 9110, section 12.4.2, has three decimals at most and nothing above 1.
fn weight(parameter: &str) -> Option<u16> {
    let value = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="))?;
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    let is_read = matches!(whole, "0" | "1") && decimals.len() <= 3 && decimals.bytes().all(|b| b.is_ascii_digit());
    if !is_read {
        return None;
    }
    let thousandths = decimals.bytes().chain(std::iter::repeat(b'0')).take(3);
    let thousandths = thousandths.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    let weight = if whole == "1" { 1000 + thousandths } else { thousandths };
    (weight <= 1000).then_some(weight)
}

/// Whether `range` is `tag` or begins it at a subtag (basic filtering of RFC 4647, section 3.3.1).
fn covers(range: &str, tag: &str) -> bool {
    let begins = tag.get(..range.len()).is_some_and(|head| is_same(head, range));
    begins && tag.get(range.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Equal but for case, and `_` for `-`.
fn is_same(a: &str, b: &str) -> bool {
    let plain = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    a.len() == b.len() && a.bytes().zip(b.bytes()).all(|(a, b)| plain(a) == plain(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: [&str; 6] = ["en", "de", "pt-BR", "pt-PT", "zh-CN", "fr"];

    fn chosen(header: &str) -> &'static str {
        accepted(header, OURS.into_iter()).map_or("none", |found| OURS[found])
    }

    #[test]
    fn the_highest_weight_wins_and_among_equals_the_first() {
        for (header, want) in [
            ("de", "de"),
            ("DE_at", "de"),
            ("de-Latn-AT-1996", "de"),
            ("fr;q=0.7, de;q=0.8, en;q=0.1", "de"),
            ("fr, de", "fr"),
            ("sv, da;q=0.9, de;q=0.2", "de"),
            ("pt", "pt-BR"),
            ("pt-MZ", "pt-PT"),
            ("pt-US", "pt-BR"),
            ("zh-Hans-HK", "zh-CN"),
            ("zh-TW", "zh-CN"),
            ("en-GB,en;q=0.9,de;q=0.8", "en"),
            ("de;q=0.001", "de"),
            ("de;Q=1.000", "de"),
            ("  de  ;  q=0.5  ,,", "de"),
        ] {
            assert_eq!(chosen(header), want, "{header}");
        }
    }

    #[test]
    fn a_star_asks_for_none_in_particular_and_zero_refuses() {
        for (header, want) in [
            ("*", "none"),
            ("*, de;q=0.5", "none"),
            ("de, *;q=0.5", "de"),
            ("de;q=0", "none"),
            ("de;q=0.000, fr;q=0.1", "fr"),
            ("de-AT;q=0, de", "de"),
            ("pt, pt-BR;q=0, fr;q=0.2", "fr"),
            ("pt;q=0, pt-BR", "pt-BR"),
            ("de, de;q=0", "none"),
        ] {
            assert_eq!(chosen(header), want, "{header}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        for bad in
            ["", ";", "q=1", "de;q=2", "de;q=1.001", "de;q=0.1234", "de;q=-1", "de;q=", "de;level=1", "d", "日本"]
        {
            assert_eq!(chosen(bad), "none", "{bad}");
            assert_eq!(chosen(&format!("{bad}, fr;q=0.3")), "fr", "{bad}");
        }
        assert_eq!(chosen(&format!("{}fr", "sv,".repeat(MAX_RANGES - 1))), "fr");
        assert_eq!(chosen(&format!("{}fr", "sv,".repeat(MAX_RANGES))), "none");
        assert_eq!(chosen(&format!("de-{}, fr;q=0.1", "a".repeat(8_000))), "fr");
    }
}
