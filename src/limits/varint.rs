//! Small numbers in few bytes, so that a row of timestamps stays small (LEB128, as in DWARF and protobuf).

/// Appends `value`, seven bits a byte, lowest first.
pub fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
}

/// Appends a signed value, small where it is near nought.
pub fn put_signed(out: &mut Vec<u8>, value: i64) {
    put(out, (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned());
}

/// Takes a value off the front; `None` where the bytes end or the value does not fit.
pub fn get(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Takes a signed value off the front.
pub fn get_signed(bytes: &mut &[u8]) -> Option<i64> {
    let value = get(bytes)?;
    Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back() {
        for value in [0, 1, -1, 63, 64, 127, 128, 1_774_708_200_123, i64::MAX, i64::MIN] {
            let mut bytes = Vec::new();
            put_signed(&mut bytes, value);
            put(&mut bytes, value.unsigned_abs());
            let mut rest = bytes.as_slice();
            assert_eq!((get_signed(&mut rest), get(&mut rest)), (Some(value), Some(value.unsigned_abs())));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn bytes_that_end_early_are_nothing() {
        assert_eq!(get(&mut [].as_slice()), None);
        assert_eq!(get(&mut [0x80, 0x80].as_slice()), None);
        assert_eq!(get(&mut [0xff; 12].as_slice()), None);
    }
}
