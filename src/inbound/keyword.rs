//! The words by which a person ends, renews or asks about messages, in the languages they are written in. Pure.

crate::text_enum! {
    /// What a message says that says nothing else.
    pub enum Keyword {
        /// No more messages.
        Stop = "stop",
        /// Messages again.
        Start = "start",
        /// Who are you?
        Help = "help",
    }
}

/// English: the standard words of carriers in the United States and of Twilio's default handling
/// (<https://help.twilio.com/articles/223134027>), without YES, which answers too many other questions.
/// French: <https://www.af2m.org> (charter of SMS+: STOP, ARRET). Turkish: RET (the national registry IYS). Chinese: TD and 退订
/// are what every commercial SMS has to offer there.
const STOP: &[&str] = &[
    "STOP",
    "STOPALL",
    "STOP ALL",
    "UNSUBSCRIBE",
    "UNSUB",
    "CANCEL",
    "END",
    "QUIT",
    "REVOKE",
    "OPTOUT",
    "OPT OUT",
    "OPT-OUT",
    "REMOVE ME", // English
    "ARRET",
    "ARRÊT",
    "ARRETER",
    "ARRÊTER",
    "DESABONNER",
    "DÉSABONNER",
    "DESINSCRIRE",
    "DÉSINSCRIRE", // French
    "ALTO",
    "PARAR",
    "BAJA",
    "CANCELAR",
    "DETENER",
    "NO MAS",
    "NO MÁS", // Spanish
    "SAIR",
    "PARE",
    "REMOVER",
    "DESCADASTRAR", // Portuguese
    "STOPP",
    "ABMELDEN",
    "ABBESTELLEN",
    "STORNO", // German
    "FERMA",
    "BASTA",
    "ANNULLA",
    "CANCELLA",
    "CANCELLAMI",
    "DISISCRIVI", // Italian
    "AFMELDEN",
    "STOPPEN",
    "UITSCHRIJVEN", // Dutch
    "AVSLUTA",
    "AVREGISTRERA",
    "AFMELD",
    "AVSLUTT", // Swedish, Danish, Norwegian
    "ZATRZYMAJ",
    "KONIEC",
    "WYPISZ",
    "REZYGNUJE",
    "REZYGNUJĘ", // Polish
    "СТОП",
    "ОТПИСКА",
    "ОТПИСАТЬСЯ",
    "ВІДПИСАТИСЯ", // Russian, Ukrainian
    "DUR",
    "IPTAL",
    "RET", // Turkish
    "BERHENTI",
    "HENTIKAN",
    "BATAL", // Indonesian, Malay
    "TD",
    "退订",
    "退訂",
    "停止",
    "取消", // Chinese, Japanese
    "配信停止",
    "解除", // Japanese
    "수신거부",
    "거부",
    "중지", // Korean
    "توقف",
    "إيقاف",
    "ايقاف",
    "الغاء",
    "إلغاء", // Arabic
    "बंद",
    "रोकें", // Hindi
    "HUY",
    "HỦY",
    "TC",
    "DUNG",
    "DỪNG", // Vietnamese: TC and HUY are the regulator's (decree 91/2020)
    "עצור",
    "הסר", // Hebrew: הסר is the word that the law on advertising names
    "ยกเลิก",
    "หยุด", // Thai
];

const START: &[&str] = &[
    "START",
    "UNSTOP",
    "SUBSCRIBE",
    "RESUME",
    "OPTIN",
    "OPT IN",
    "OPT-IN", // English
    "DEMARRER",
    "DÉMARRER",
    "COMMENCER",
    "REPRENDRE",
    "ABONNER", // French
    "INICIAR",
    "INICIO",
    "COMENZAR",
    "ALTA",
    "EMPEZAR",
    "REANUDAR", // Spanish
    "COMEÇAR",
    "COMECAR",
    "VOLTAR", // Portuguese
    "STARTEN",
    "ANMELDEN", // German, Dutch
    "INIZIA",
    "AVVIA",
    "ISCRIVI",
    "RIPRENDI", // Italian
    "AANMELDEN",
    "STARTA", // Dutch, Swedish
    "ROZPOCZNIJ",
    "ZAPISZ", // Polish
    "СТАРТ",
    "ПОДПИСАТЬСЯ",
    "ПІДПИСАТИСЯ", // Russian, Ukrainian
    "BASLA",
    "BAŞLA",
    "BASLAT",
    "BAŞLAT",
    "ONAY", // Turkish
    "MULAI",
    "MULA", // Indonesian, Malay
    "订阅",
    "訂閱",
    "开始",
    "開始",
    "再開", // Chinese, Japanese
    "시작",
    "수신동의", // Korean
    "ابدأ",
    "ابدا",
    "اشترك", // Arabic
    "शुरू",    // Hindi
    "BAT DAU",
    "BẮT ĐẦU", // Vietnamese
    "התחל",    // Hebrew
    "เริ่ม",     // Thai
];

const HELP: &[&str] = &[
    "HELP",
    "INFO",
    "AIDE",
    "AYUDA",
    "AJUDA",
    "HILFE",
    "AIUTO",
    "POMOC",
    "ПОМОЩЬ",
    "YARDIM",
    "BANTUAN",
    "مساعدة",
    "帮助",
    "ヘルプ",
    "도움말",
];

/// Longer texts are no keyword: nothing in the lists is longer, marks around it included.
const LONGEST: usize = 40;

impl Keyword {
    /// The keyword that `text` is, if it is nothing but one: case, blanks and marks around it do not matter.
    pub fn of(text: &str) -> Option<Keyword> {
        if text.chars().count() > LONGEST {
            return None;
        }
        let bare = text.trim_matches(|c: char| !c.is_alphanumeric());
        // Marks that some scripts write on their letters are no letters: they stay, being inside or at the end of a word.
        let bare = if bare.is_empty() { text.trim() } else { text.get(text.find(bare)?..)?.trim_end_matches(is_mark) };
        let word = folded(&bare.split_whitespace().collect::<Vec<_>>().join(" "));
        let is_one_of = |list: &[&str]| list.iter().any(|known| *known == word || folded(known) == word);
        match () {
            () if is_one_of(STOP) => Some(Keyword::Stop),
            () if is_one_of(START) => Some(Keyword::Start),
            () if is_one_of(HELP) => Some(Keyword::Help),
            () => None,
        }
    }
}

/// Upper case, the Turkish letters i with and without its dot being one.
fn folded(text: &str) -> String {
    text.to_uppercase().replace('İ', "I").replace('\u{307}', "")
}

/// What may stand behind a word without being part of it.
fn is_mark(c: char) -> bool {
    c.is_whitespace() || c.is_ascii_punctuation() || "。！？、…«»“”„‘’¡¿،؟".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_lists_is_known_in_any_case_and_between_marks() {
        for (list, keyword) in [(STOP, Keyword::Stop), (START, Keyword::Start), (HELP, Keyword::Help)] {
            for word in list {
                for text in [word.to_string(), word.to_lowercase(), format!("  {word}.\n"), format!("\"{word}\"!")] {
                    assert_eq!(Keyword::of(&text), Some(keyword), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn no_word_means_two_things() {
        let mut all: Vec<String> = [STOP, START, HELP].concat().iter().map(|word| folded(word)).collect();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn turkish_letters_are_known_with_and_without_their_dot() {
        for text in ["iptal", "İptal", "IPTAL", "ıptal", "i\u{307}ptal"] {
            assert_eq!(Keyword::of(text), Some(Keyword::Stop), "{text}");
        }
    }

    #[test]
    fn a_sentence_is_no_keyword() {
        for text in
            ["please stop it", "stop by at 8", "Your code is 123456", "", "  ", "!!!", "👍", "yes", "ok", "nonstop"]
        {
            assert_eq!(Keyword::of(text), None, "{text:?}");
        }
        assert_eq!(Keyword::of(&"STOP ".repeat(20)), None);
    }
}
