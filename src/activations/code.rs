//! Finding the code in a text. Pure.
//!
//! In this order: what a service's own pattern catches; the line that browsers read (`@example.com #123456`, WebOTP); a
//! code behind or before a word that says so, in many languages; the only number that looks like one.

use std::sync::LazyLock;

use regex::Regex;

/// Longest code.
const LONGEST: usize = 12;

/// Words that announce a code, as texts in these languages have them.
const WORDS: &str = "code|codes|passcode|password|otp|pin|token|verification|verify|kod|kodu|kode|kodi|kód|koodi|kods|\
    código|codigo|clave|senha|codice|wachtwoord|passwort|mot de passe|mật khẩu|mã|код|кода|пароль|کد|رمز|الرمز|كود|\
    קוד|รหัส|验证码|驗證碼|校验码|密码|認証コード|コード|인증번호|कोड|ओटीपी";

/// The code itself: `G-123456`, `123-456`, `123 456`, `AB12CD`, `123456`.
const SHAPE: &str = r"(?:[A-Z]{1,3}-)?([0-9]{3}[- ][0-9]{3}|[0-9]{2}[- ][0-9]{2}[- ][0-9]{2}|[0-9]{4}[- ][0-9]{4}|[0-9]{4,10}|[A-Z0-9]{4,10})";

static WEB_OTP: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?m)^@[\w.-]+\s+#([A-Za-z0-9]{4,12})\s*(?:%.*)?$").ok());
/// Behind the word: at most three short words between, e.g. "code for ACME is: 123456".
static BEHIND: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let text = format!(
        r"(?:^|[^\w])(?i:{WORDS})(?:[^\w\n]|(?i:\b(?:is|es|ist|est|e|é|jest|for|para|für|pour|to|your|the|de|от|для|is:)\b)|\b[A-Za-z]{{2,12}}\b){{0,8}}?[^\w]{{0,3}}{SHAPE}(?:$|[^\w])"
    );
    Regex::new(&text).ok()
});
/// Right behind the word without a blank, as scripts have it that use none: 验证码123456.
static GLUED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:验证码|驗證碼|校验码|密码|認証コード|コード|인증번호)[^0-9]{0,6}([0-9]{4,8})").ok()
});
/// Before the word: "123456 is your ACME code".
static BEFORE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let text = format!(r"(?:^|[^\w.,:/+#€$£-]){SHAPE}[^\w]{{1,3}}(?:[^\d\n]{{0,40}}[^\w])?(?i:{WORDS})");
    Regex::new(&text).ok()
});
/// Alone: no part of a price, a date, a time, a telephone number or an address.
static ALONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?:^|[\s(<\[:»«“„'!?。，：])(?:[A-Z]{1,3}-)?([0-9]{3}[- ][0-9]{3}|[0-9]{4,8})(?:$|[\s)>\].,;:!?»«”“'。，])",
    )
    .ok()
});

/// The code in `text`: digits (letters where the sender uses them), without blanks and dashes. `own` is the pattern that
/// the service's operator gave and that fits the text.
pub fn extract(text: &str, own: Option<&Regex>) -> Option<String> {
    let text = plain_digits(text);
    if let Some(caught) = own.and_then(|own| caught(own, &text)) {
        return Some(caught);
    }
    let found = |pattern: &LazyLock<Option<Regex>>| {
        let pattern = pattern.as_ref()?;
        pattern.captures_iter(&text).filter_map(|found| clean(found.get(1)?.as_str())).next()
    };
    found(&WEB_OTP).or_else(|| found(&BEHIND)).or_else(|| found(&GLUED)).or_else(|| found(&BEFORE)).or_else(|| {
        let pattern = ALONE.as_ref()?;
        let all: Vec<String> = pattern.captures_iter(&text).filter_map(|found| clean(found.get(1)?.as_str())).collect();
        // Of several the one of the commonest length.
        all.iter().find(|code| code.len() == 6).or_else(|| all.first()).cloned()
    })
}

/// The first group of an operator's pattern, as it stands but for blanks and dashes between digits.
fn caught(own: &Regex, text: &str) -> Option<String> {
    let group = own.captures(text)?.get(1)?.as_str().trim();
    let code = if group.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == '-') {
        joined(group)
    } else {
        group.to_owned()
    };
    ((1..=LONGEST * 2).contains(&code.len())).then_some(code)
}

/// A code has a digit, and is no word.
fn clean(found: &str) -> Option<String> {
    let code = joined(found);
    (code.bytes().any(|b| b.is_ascii_digit()) && code.len() <= LONGEST).then_some(code)
}

fn joined(code: &str) -> String {
    code.chars().filter(|c| !matches!(c, ' ' | '-')).collect()
}

/// Digits of other scripts (full-width, Arabic, Persian, Devanagari) as ASCII.
fn plain_digits(text: &str) -> String {
    const ZEROS: [u32; 4] = ['０' as u32, '٠' as u32, '۰' as u32, '०' as u32];
    let plain = |c: char| {
        let digit = ZEROS.iter().find_map(|zero| (c as u32).checked_sub(*zero).filter(|digit| *digit < 10));
        digit.and_then(|digit| char::from_digit(digit, 10)).unwrap_or(c)
    };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_in_the_forms_that_senders_use() {
        for (text, code) in [
            ("123456 is your ACME code", "123456"),
            ("Your code is 481516", "481516"),
            ("Your ACME verification code: 4815", "4815"),
            ("G-123456 is your Google verification code.", "123456"),
            ("Your WhatsApp code: 123-456\n\nDon't share this code with others", "123456"),
            ("<#> Your code is 123 456. FA+9qCX9VSu", "123456"),
            ("Your code is 481516.\n\n@example.com #481516", "481516"),
            ("Use 12345678 as your login PIN. It ends at 10:30.", "12345678"),
            ("ACME: code AB12CD, valid for 10 minutes", "AB12CD"),
            ("Votre code est le 902210. Ne le partagez pas.", "902210"),
            ("Tu código es 77310", "77310"),
            ("Ihr Passwort lautet: 5512 8890", "55128890"),
            ("Код подтверждения: 99812. Никому не сообщайте.", "99812"),
            ("【ACME】验证码123456，5分钟内有效", "123456"),
            ("認証コード：4321", "4321"),
            ("رمز التحقق ١٢٣٤٥٦", "123456"),
            ("مرحبا ٤٥٦٧٨٩", "456789"),
            ("کد: ۱۲۳۴۵", "12345"),
            ("Enter 663311 to sign in", "663311"),
            ("ACME 5521", "5521"),
            ("Order 12345678 paid; 662211 confirms it", "662211"),
            ("Mã OTP cua ban la 331177", "331177"),
        ] {
            assert_eq!(extract(text, None).as_deref(), Some(code), "{text}");
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        for text in [
            "Welcome to ACME!",
            "",
            "You paid 12.50 EUR",
            "Call us at +441632960123",
            "See you on 12/10/2026",
            "Your balance is $1200",
            "Visit https://example.com/a/123456",
            "It is 10:30 now",
        ] {
            assert_eq!(extract(text, None), None, "{text}");
        }
    }

    #[test]
    fn an_operator_s_pattern_comes_first() {
        let own = Regex::new(r"ref (\d+) and key ([a-z]+)").unwrap();
        assert_eq!(extract("your code 123456 ref 77 and key abc", Some(&own)).as_deref(), Some("77"));
        let word = Regex::new(r"magic word: (\w+)").unwrap();
        assert_eq!(extract("The magic word: please", Some(&word)).as_deref(), Some("please"));
        let none = Regex::new(r"ACME").unwrap();
        assert_eq!(extract("ACME 123456", Some(&none)).as_deref(), Some("123456"), "it has no group");
    }
}
