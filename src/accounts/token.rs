//! The form of keys and operator tokens: `pst_live_` + 12 public + `_` + 32 secret + 6 checksum, all base 62.
//!
//! The public part finds the row and may be shown; 32 letters of base 62 are 190 bits that nobody can guess, so a plain
//! SHA-256 at rest is enough; the checksum tells a mistyped key before any look-up.

use crate::secret::{Secret, random_token, same, sha256};

crate::text_enum! {
    /// Whose token it is, as its third part says.
    pub enum Holder {
        /// A key of the live world.
        Live = "live",
        /// A key of the test world.
        Test = "test",
        /// An operator's token.
        Operator = "opr",
    }
}

const PUBLIC_LEN: usize = 12;
const SECRET_LEN: usize = 32;
const CHECKSUM_LEN: usize = 6;

/// Longest credential worth reading: a token has 60 letters, a first owner token may be any text.
const MAX_LEN: usize = 512;

/// Shortest first owner token.
/// Source: the contract of `POSTERN_OPERATOR_TOKEN`.
pub(super) const MIN_CHOSEN_LEN: usize = 24;

/// A token just made: the text is shown once, the rest is stored.
pub(super) struct Minted {
    /// The whole token.
    pub text: Secret<String>,
    /// What finds its row, e.g. `pst_live_0aB3…`.
    pub prefix: String,
    /// SHA-256 of the whole token.
    pub hash: [u8; 32],
}

/// A credential as it came: well-formed, not yet known to be anybody's.
#[derive(Debug, Clone)]
pub(super) struct Presented {
    /// Whose kind it is.
    pub holder: Holder,
    /// What finds its row.
    pub prefix: String,
    hash: [u8; 32],
}

/// Why a text cannot be a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotAToken {
    /// It has another form.
    #[error("The key does not have the form of one; it starts with pst_live_ or pst_test_ and is 60 letters long.")]
    Form,
    /// It has the form, but its checksum is wrong.
    #[error("The key is mistyped or cut: its checksum does not fit. Copy it again as a whole.")]
    Checksum,
}

/// Makes a token of `holder`'s kind.
pub(super) fn mint(holder: Holder) -> Minted {
    let prefix = format!("pst_{holder}_{}", random_token::<PUBLIC_LEN>());
    let body = format!("{prefix}_{}", random_token::<SECRET_LEN>());
    let text = format!("{body}{}", checksum(&body));
    Minted { hash: sha256(text.as_bytes()), prefix, text: Secret::new(text) }
}

/// Reads a token and checks its checksum: nothing is looked up for a text that cannot be one.
pub(super) fn present(text: &str) -> Result<Presented, NotAToken> {
    let (holder, public, rest) = parts(text).ok_or(NotAToken::Form)?;
    let (body, sum) = text.split_at_checked(text.len() - CHECKSUM_LEN).ok_or(NotAToken::Form)?;
    if public.len() != PUBLIC_LEN || rest.len() != SECRET_LEN + CHECKSUM_LEN {
        return Err(NotAToken::Form);
    }
    if checksum(body) != sum {
        return Err(NotAToken::Checksum);
    }
    Ok(Presented { holder, prefix: format!("pst_{holder}_{public}"), hash: sha256(text.as_bytes()) })
}

/// A first owner token of the operator's own choice: any text, found by a digest of it since it has no public part.
/// `None` where it is too short or too long to be one.
pub(super) fn present_chosen(text: &str) -> Option<Presented> {
    if text.len() < MIN_CHOSEN_LEN || text.len() > MAX_LEN {
        return None;
    }
    let hash = sha256(text.as_bytes());
    let label = sha256(&[b"postern/chosen/1".as_slice(), hash.as_slice()].concat());
    let digest: String = label.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    Some(Presented { holder: Holder::Operator, prefix: format!("{CHOSEN_PREFIX}{digest}"), hash })
}

/// How the public part of a chosen token starts.
pub(super) const CHOSEN_PREFIX: &str = "env_";

impl Presented {
    /// Whether it is the token whose hash is stored, in constant time.
    pub(super) fn fits(&self, stored: &[u8]) -> bool {
        same(&self.hash, stored)
    }

    /// What is stored of it.
    pub(super) fn hash(&self) -> &[u8] {
        &self.hash
    }
}

/// Holder, public part, and secret with checksum.
fn parts(text: &str) -> Option<(Holder, &str, &str)> {
    let base62 = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric());
    if text.len() > MAX_LEN {
        return None;
    }
    let (holder, rest) = text.strip_prefix("pst_")?.split_once('_')?;
    let (public, secret) = rest.split_once('_')?;
    (base62(public) && base62(secret)).then_some((holder.parse().ok()?, public, secret))
}

/// Six letters of base 62 over the first 32 bits of a digest: it tells typing errors, it guards nothing.
fn checksum(body: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digest = sha256(body.as_bytes());
    let mut rest = digest.iter().take(4).fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    let mut text = String::with_capacity(CHECKSUM_LEN);
    for _ in 0..CHECKSUM_LEN {
        text.push(DIGITS.get(rest % 62).map_or('0', |digit| char::from(*digit)));
        rest /= 62;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_its_form_and_reads_back() {
        for (holder, start) in
            [(Holder::Live, "pst_live_"), (Holder::Test, "pst_test_"), (Holder::Operator, "pst_opr_")]
        {
            let minted = mint(holder);
            let text = minted.text.expose();
            assert!(text.starts_with(start) && text.starts_with(&minted.prefix));
            let presented = present(text).unwrap();
            assert_eq!((presented.holder, &presented.prefix), (holder, &minted.prefix));
            assert!(presented.fits(&minted.hash));
            assert!(!presented.fits(&mint(holder).hash));
        }
        assert_eq!(mint(Holder::Live).text.expose().len(), 60);
    }

    #[test]
    fn one_wrong_letter_anywhere_is_told_before_any_look_up() {
        let text = mint(Holder::Live).text.expose().clone();
        for at in 9..text.len() {
            let mut letters: Vec<char> = text.chars().collect();
            if letters[at] == '_' {
                continue;
            }
            letters[at] = if letters[at] == 'a' { 'b' } else { 'a' };
            let wrong: String = letters.into_iter().collect();
            assert_eq!(present(&wrong).err(), Some(NotAToken::Checksum), "letter {at}");
        }
    }

    #[test]
    fn a_text_of_another_form_is_no_token() {
        let text = mint(Holder::Live).text.expose().clone();
        let cut = &text[..text.len() - 1];
        let longer = format!("{text}x");
        let other = text.replace("pst_live_", "pst_prod_");
        let wide = "é".repeat(40);
        for bad in ["", "pst_", "pst_live_", "pst_live__", cut, &longer, &other, "Bearer x", &wide, &"x".repeat(4096)] {
            assert_eq!(present(bad).err(), Some(NotAToken::Form), "{bad}");
        }
    }

    #[test]
    fn a_chosen_token_is_found_by_a_digest_and_must_be_long() {
        let chosen = present_chosen("a text of 24 characters!").unwrap();
        assert!(chosen.prefix.starts_with("env_"));
        assert!(chosen.fits(&sha256(b"a text of 24 characters!")));
        assert!(present_chosen("23 characters, too few.").is_none());
    }
}
