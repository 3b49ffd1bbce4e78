//! Countries as the text endpoint counts them, with their calling codes and names. Numbers of the protocol by general
//! knowledge of its public lists; names from CLDR.

use crate::phone::Country;

/// A country of the text endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its number in the protocol.
    pub id: u16,
    /// ISO 3166-1 alpha-2.
    pub iso: &'static str,
    /// Its calling code.
    pub calling: u16,
    /// Its name in English.
    pub eng: &'static str,
    /// In Russian.
    pub rus: &'static str,
    /// In Chinese.
    pub chn: &'static str,
}

const fn row(id: u16, iso: &'static str, calling: u16, eng: &'static str, rus: &'static str, chn: &'static str) -> Row {
    Row { id, iso, calling, eng, rus, chn }
}

/// The country of this number.
pub fn of_id(id: &str) -> Option<&'static Row> {
    let id: u16 = if id == "12" { 187 } else { id.parse().ok()? };
    ROWS.iter().find(|row| row.id == id)
}

/// The row of a country.
pub fn of(country: Country) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.iso == country.as_str())
}

impl Row {
    /// The country itself.
    pub fn country(&self) -> Option<Country> {
        self.iso.parse().ok()
    }
}

const ROWS: &[Row] = &[
    row(0, "RU", 7, "Russia", "Россия", "俄罗斯"),
    row(1, "UA", 380, "Ukraine", "Украина", "乌克兰"),
    row(2, "KZ", 7, "Kazakhstan", "Казахстан", "哈萨克斯坦"),
    row(3, "CN", 86, "China", "Китай", "中国"),
    row(4, "PH", 63, "Philippines", "Филиппины", "菲律宾"),
    row(5, "MM", 95, "Myanmar (Burma)", "Мьянма (Бирма)", "缅甸"),
    row(6, "ID", 62, "Indonesia", "Индонезия", "印度尼西亚"),
    row(7, "MY", 60, "Malaysia", "Малайзия", "马来西亚"),
    row(8, "KE", 254, "Kenya", "Кения", "肯尼亚"),
    row(9, "TZ", 255, "Tanzania", "Танзания", "坦桑尼亚"),
    row(10, "VN", 84, "Vietnam", "Вьетнам", "越南"),
    row(11, "KG", 996, "Kyrgyzstan", "Киргизия", "吉尔吉斯斯坦"),
    row(13, "IL", 972, "Israel", "Израиль", "以色列"),
    row(14, "HK", 852, "Hong Kong", "Гонконг", "香港"),
    row(15, "PL", 48, "Poland", "Польша", "波兰"),
    row(16, "GB", 44, "United Kingdom", "Великобритания", "英国"),
    row(17, "MG", 261, "Madagascar", "Мадагаскар", "马达加斯加"),
    row(18, "CD", 243, "Congo - Kinshasa", "Конго - Киншаса", "刚果（金）"),
    row(19, "NG", 234, "Nigeria", "Нигерия", "尼日利亚"),
    row(20, "MO", 853, "Macao", "Макао", "澳门"),
    row(21, "EG", 20, "Egypt", "Египет", "埃及"),
    row(22, "IN", 91, "India", "Индия", "印度"),
    row(23, "IE", 353, "Ireland", "Ирландия", "爱尔兰"),
    row(24, "KH", 855, "Cambodia", "Камбоджа", "柬埔寨"),
    row(25, "LA", 856, "Laos", "Лаос", "老挝"),
    row(26, "HT", 509, "Haiti", "Гаити", "海地"),
    row(27, "CI", 225, "Côte d’Ivoire", "Кот-д’Ивуар", "科特迪瓦"),
    row(28, "GM", 220, "Gambia", "Гамбия", "冈比亚"),
    row(29, "RS", 381, "Serbia", "Сербия", "塞尔维亚"),
    row(30, "YE", 967, "Yemen", "Йемен", "也门"),
    row(31, "ZA", 27, "South Africa", "Южно-Африканская Республика", "南非"),
    row(32, "RO", 40, "Romania", "Румыния", "罗马尼亚"),
    row(33, "CO", 57, "Colombia", "Колумбия", "哥伦比亚"),
    row(34, "EE", 372, "Estonia", "Эстония", "爱沙尼亚"),
    row(35, "AZ", 994, "Azerbaijan", "Азербайджан", "阿塞拜疆"),
    row(36, "CA", 1, "Canada", "Канада", "加拿大"),
    row(37, "MA", 212, "Morocco", "Марокко", "摩洛哥"),
    row(38, "GH", 233, "Ghana", "Гана", "加纳"),
    row(39, "AR", 54, "Argentina", "Аргентина", "阿根廷"),
    row(40, "UZ", 998, "Uzbekistan", "Узбекистан", "乌兹别克斯坦"),
    row(41, "CM", 237, "Cameroon", "Камерун", "喀麦隆"),
    row(42, "TD", 235, "Chad", "Чад", "乍得"),
    row(43, "DE", 49, "Germany", "Германия", "德国"),
    row(44, "LT", 370, "Lithuania", "Литва", "立陶宛"),
    row(45, "HR", 385, "Croatia", "Хорватия", "克罗地亚"),
    row(46, "SE", 46, "Sweden", "Швеция", "瑞典"),
    row(47, "IQ", 964, "Iraq", "Ирак", "伊拉克"),
    row(48, "NL", 31, "Netherlands", "Нидерланды", "荷兰"),
    row(49, "LV", 371, "Latvia", "Латвия", "拉脱维亚"),
    row(50, "AT", 43, "Austria", "Австрия", "奥地利"),
    row(51, "BY", 375, "Belarus", "Беларусь", "白俄罗斯"),
    row(52, "TH", 66, "Thailand", "Таиланд", "泰国"),
    row(53, "SA", 966, "Saudi Arabia", "Саудовская Аравия", "沙特阿拉伯"),
    row(54, "MX", 52, "Mexico", "Мексика", "墨西哥"),
    row(55, "TW", 886, "Taiwan", "Тайвань", "台湾"),
    row(56, "ES", 34, "Spain", "Испания", "西班牙"),
    row(57, "IR", 98, "Iran", "Иран", "伊朗"),
    row(58, "DZ", 213, "Algeria", "Алжир", "阿尔及利亚"),
    row(59, "SI", 386, "Slovenia", "Словения", "斯洛文尼亚"),
    row(60, "BD", 880, "Bangladesh", "Бангладеш", "孟加拉国"),
    row(61, "SN", 221, "Senegal", "Сенегал", "塞内加尔"),
    row(62, "TR", 90, "Türkiye", "Турция", "土耳其"),
    row(63, "CZ", 420, "Czechia", "Чехия", "捷克"),
    row(64, "LK", 94, "Sri Lanka", "Шри-Ланка", "斯里兰卡"),
    row(65, "PE", 51, "Peru", "Перу", "秘鲁"),
    row(66, "PK", 92, "Pakistan", "Пакистан", "巴基斯坦"),
    row(67, "NZ", 64, "New Zealand", "Новая Зеландия", "新西兰"),
    row(68, "GN", 224, "Guinea", "Гвинея", "几内亚"),
    row(69, "ML", 223, "Mali", "Мали", "马里"),
    row(70, "VE", 58, "Venezuela", "Венесуэла", "委内瑞拉"),
    row(71, "ET", 251, "Ethiopia", "Эфиопия", "埃塞俄比亚"),
    row(72, "MN", 976, "Mongolia", "Монголия", "蒙古"),
    row(73, "BR", 55, "Brazil", "Бразилия", "巴西"),
    row(74, "AF", 93, "Afghanistan", "Афганистан", "阿富汗"),
    row(75, "UG", 256, "Uganda", "Уганда", "乌干达"),
    row(76, "AO", 244, "Angola", "Ангола", "安哥拉"),
    row(77, "CY", 357, "Cyprus", "Кипр", "塞浦路斯"),
    row(78, "FR", 33, "France", "Франция", "法国"),
    row(79, "PG", 675, "Papua New Guinea", "Папуа — Новая Гвинея", "巴布亚新几内亚"),
    row(80, "MZ", 258, "Mozambique", "Мозамбик", "莫桑比克"),
    row(81, "NP", 977, "Nepal", "Непал", "尼泊尔"),
    row(82, "BE", 32, "Belgium", "Бельгия", "比利时"),
    row(83, "BG", 359, "Bulgaria", "Болгария", "保加利亚"),
    row(84, "HU", 36, "Hungary", "Венгрия", "匈牙利"),
    row(85, "MD", 373, "Moldova", "Молдова", "摩尔多瓦"),
    row(86, "IT", 39, "Italy", "Италия", "意大利"),
    row(87, "PY", 595, "Paraguay", "Парагвай", "巴拉圭"),
    row(88, "HN", 504, "Honduras", "Гондурас", "洪都拉斯"),
    row(89, "TN", 216, "Tunisia", "Тунис", "突尼斯"),
    row(90, "NI", 505, "Nicaragua", "Никарагуа", "尼加拉瓜"),
    row(91, "TL", 670, "Timor-Leste", "Восточный Тимор", "东帝汶"),
    row(92, "BO", 591, "Bolivia", "Боливия", "玻利维亚"),
    row(93, "CR", 506, "Costa Rica", "Коста-Рика", "哥斯达黎加"),
    row(94, "GT", 502, "Guatemala", "Гватемала", "危地马拉"),
    row(95, "AE", 971, "United Arab Emirates", "ОАЭ", "阿拉伯联合酋长国"),
    row(96, "ZW", 263, "Zimbabwe", "Зимбабве", "津巴布韦"),
    row(97, "PR", 1, "Puerto Rico", "Пуэрто-Рико", "波多黎各"),
    row(98, "SD", 249, "Sudan", "Судан", "苏丹"),
    row(99, "TG", 228, "Togo", "Того", "多哥"),
    row(100, "KW", 965, "Kuwait", "Кувейт", "科威特"),
    row(101, "SV", 503, "El Salvador", "Сальвадор", "萨尔瓦多"),
    row(102, "LY", 218, "Libya", "Ливия", "利比亚"),
    row(103, "JM", 1, "Jamaica", "Ямайка", "牙买加"),
    row(104, "TT", 1, "Trinidad & Tobago", "Тринидад и Тобаго", "特立尼达和多巴哥"),
    row(105, "EC", 593, "Ecuador", "Эквадор", "厄瓜多尔"),
    row(106, "SZ", 268, "Eswatini", "Эсватини", "斯威士兰"),
    row(107, "OM", 968, "Oman", "Оман", "阿曼"),
    row(108, "BA", 387, "Bosnia & Herzegovina", "Босния и Герцеговина", "波斯尼亚和黑塞哥维那"),
    row(109, "DO", 1, "Dominican Republic", "Доминиканская Республика", "多米尼加共和国"),
    row(111, "QA", 974, "Qatar", "Катар", "卡塔尔"),
    row(112, "PA", 507, "Panama", "Панама", "巴拿马"),
    row(113, "CU", 53, "Cuba", "Куба", "古巴"),
    row(114, "MR", 222, "Mauritania", "Мавритания", "毛里塔尼亚"),
    row(115, "SL", 232, "Sierra Leone", "Сьерра-Леоне", "塞拉利昂"),
    row(116, "JO", 962, "Jordan", "Иордания", "约旦"),
    row(117, "PT", 351, "Portugal", "Португалия", "葡萄牙"),
    row(118, "BB", 1, "Barbados", "Барбадос", "巴巴多斯"),
    row(119, "BI", 257, "Burundi", "Бурунди", "布隆迪"),
    row(120, "BJ", 229, "Benin", "Бенин", "贝宁"),
    row(121, "BN", 673, "Brunei", "Бруней", "文莱"),
    row(122, "BS", 1, "Bahamas", "Багамы", "巴哈马"),
    row(123, "BW", 267, "Botswana", "Ботсвана", "博茨瓦纳"),
    row(124, "BZ", 501, "Belize", "Белиз", "伯利兹"),
    row(125, "CF", 236, "Central African Republic", "Центрально-Африканская Республика", "中非共和国"),
    row(126, "DM", 1, "Dominica", "Доминика", "多米尼克"),
    row(127, "GD", 1, "Grenada", "Гренада", "格林纳达"),
    row(128, "GE", 995, "Georgia", "Грузия", "格鲁吉亚"),
    row(129, "GR", 30, "Greece", "Греция", "希腊"),
    row(130, "GW", 245, "Guinea-Bissau", "Гвинея-Бисау", "几内亚比绍"),
    row(131, "GY", 592, "Guyana", "Гайана", "圭亚那"),
    row(132, "IS", 354, "Iceland", "Исландия", "冰岛"),
    row(133, "KM", 269, "Comoros", "Коморы", "科摩罗"),
    row(134, "KN", 1, "St. Kitts & Nevis", "Сент-Китс и Невис", "圣基茨和尼维斯"),
    row(135, "LR", 231, "Liberia", "Либерия", "利比里亚"),
    row(136, "LS", 266, "Lesotho", "Лесото", "莱索托"),
    row(137, "MW", 265, "Malawi", "Малави", "马拉维"),
    row(138, "NA", 264, "Namibia", "Намибия", "纳米比亚"),
    row(139, "NE", 227, "Niger", "Нигер", "尼日尔"),
    row(140, "RW", 250, "Rwanda", "Руанда", "卢旺达"),
    row(141, "SK", 421, "Slovakia", "Словакия", "斯洛伐克"),
    row(142, "SR", 597, "Suriname", "Суринам", "苏里南"),
    row(143, "TJ", 992, "Tajikistan", "Таджикистан", "塔吉克斯坦"),
    row(144, "MC", 377, "Monaco", "Монако", "摩纳哥"),
    row(145, "BH", 973, "Bahrain", "Бахрейн", "巴林"),
    row(146, "RE", 262, "Réunion", "Реюньон", "留尼汪"),
    row(147, "ZM", 260, "Zambia", "Замбия", "赞比亚"),
    row(148, "AM", 374, "Armenia", "Армения", "亚美尼亚"),
    row(149, "SO", 252, "Somalia", "Сомали", "索马里"),
    row(150, "CG", 242, "Congo - Brazzaville", "Конго - Браззавиль", "刚果（布）"),
    row(151, "CL", 56, "Chile", "Чили", "智利"),
    row(152, "BF", 226, "Burkina Faso", "Буркина-Фасо", "布基纳法索"),
    row(153, "LB", 961, "Lebanon", "Ливан", "黎巴嫩"),
    row(154, "GA", 241, "Gabon", "Габон", "加蓬"),
    row(155, "AL", 355, "Albania", "Албания", "阿尔巴尼亚"),
    row(156, "UY", 598, "Uruguay", "Уругвай", "乌拉圭"),
    row(157, "MU", 230, "Mauritius", "Маврикий", "毛里求斯"),
    row(158, "BT", 975, "Bhutan", "Бутан", "不丹"),
    row(159, "MV", 960, "Maldives", "Мальдивы", "马尔代夫"),
    row(160, "GP", 590, "Guadeloupe", "Гваделупа", "瓜德罗普"),
    row(161, "TM", 993, "Turkmenistan", "Туркменистан", "土库曼斯坦"),
    row(162, "GF", 594, "French Guiana", "Французская Гвиана", "法属圭亚那"),
    row(163, "FI", 358, "Finland", "Финляндия", "芬兰"),
    row(164, "LC", 1, "St. Lucia", "Сент-Люсия", "圣卢西亚"),
    row(165, "LU", 352, "Luxembourg", "Люксембург", "卢森堡"),
    row(166, "VC", 1, "St. Vincent & Grenadines", "Сент-Винсент и Гренадины", "圣文森特和格林纳丁斯"),
    row(167, "GQ", 240, "Equatorial Guinea", "Экваториальная Гвинея", "赤道几内亚"),
    row(168, "DJ", 253, "Djibouti", "Джибути", "吉布提"),
    row(169, "AG", 1, "Antigua & Barbuda", "Антигуа и Барбуда", "安提瓜和巴布达"),
    row(170, "KY", 1, "Cayman Islands", "о-ва Кайман", "开曼群岛"),
    row(171, "ME", 382, "Montenegro", "Черногория", "黑山"),
    row(172, "DK", 45, "Denmark", "Дания", "丹麦"),
    row(173, "CH", 41, "Switzerland", "Швейцария", "瑞士"),
    row(174, "NO", 47, "Norway", "Норвегия", "挪威"),
    row(175, "AU", 61, "Australia", "Австралия", "澳大利亚"),
    row(176, "ER", 291, "Eritrea", "Эритрея", "厄立特里亚"),
    row(177, "SS", 211, "South Sudan", "Южный Судан", "南苏丹"),
    row(178, "ST", 239, "São Tomé & Príncipe", "Сан-Томе и Принсипи", "圣多美和普林西比"),
    row(179, "AW", 297, "Aruba", "Аруба", "阿鲁巴"),
    row(180, "MS", 1, "Montserrat", "Монтсеррат", "蒙特塞拉特"),
    row(181, "AI", 1, "Anguilla", "Ангилья", "安圭拉"),
    row(182, "JP", 81, "Japan", "Япония", "日本"),
    row(183, "MK", 389, "North Macedonia", "Северная Македония", "北马其顿"),
    row(184, "SC", 248, "Seychelles", "Сейшельские о-ва", "塞舌尔"),
    row(185, "NC", 687, "New Caledonia", "Новая Каледония", "新喀里多尼亚"),
    row(186, "CV", 238, "Cape Verde", "Кабо-Верде", "佛得角"),
    row(187, "US", 1, "United States", "Соединенные Штаты", "美国"),
    row(188, "PS", 970, "Palestine", "Палестина", "巴勒斯坦"),
    row(189, "FJ", 679, "Fiji", "Фиджи", "斐济"),
    row(190, "KR", 82, "South Korea", "Республика Корея", "韩国"),
    row(196, "SG", 65, "Singapore", "Сингапур", "新加坡"),
    row(199, "MT", 356, "Malta", "Мальта", "马耳他"),
    row(201, "GI", 350, "Gibraltar", "Гибралтар", "直布罗陀"),
    row(203, "XK", 383, "Kosovo", "Косово", "科索沃"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_one_number_and_can_be_found_by_it() {
        for row in ROWS {
            assert_eq!(of_id(&row.id.to_string()).map(|found| found.iso), Some(row.iso));
            assert_eq!(row.country().and_then(of).map(|found| found.id), Some(row.id), "{}", row.iso);
        }
        assert_eq!(of_id("12").map(|row| row.iso), Some("US"), "the virtual numbers of the protocol's old list");
        assert!(of_id("999").is_none() && of_id("GB").is_none());
    }
}
