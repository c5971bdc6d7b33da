//! Numbers, sizes, durations and dates as a person reads them.
//!
//! One way each, so that the same number looks the same in every pane. Times come in as data: no
//! clock and no system time zone is read here.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A number with its thousands parted: `1,204`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number and its noun: `1 page`, `2 pages`, `1,204 entries`.
///
/// The noun is given in the singular; its last word takes the plural.
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 {
        return format!("1 {noun}");
    }
    format!("{} {}", grouped(number), plural(noun))
}

/// The plural of a noun of this program, by the common rules and the exceptions in use.
pub fn plural(noun: &str) -> String {
    if let Some(stem) = noun.strip_suffix("child") {
        return format!("{stem}children");
    }
    if let Some(stem) = noun.strip_suffix("person") {
        return format!("{stem}people");
    }
    if noun.ends_with("trash") {
        return noun.to_owned();
    }
    if let Some(stem) = noun.strip_suffix('y')
        && !stem.ends_with(['a', 'e', 'i', 'o', 'u'])
    {
        return format!("{stem}ies");
    }
    let hisses = ["s", "x", "z", "ch", "sh"];
    if hisses.iter().any(|end| noun.ends_with(end)) {
        return format!("{noun}es");
    }
    format!("{noun}s")
}

/// A size: `0 B`, `820 B`, `1.4 MB`, `14 MB`. Steps of a thousand.
pub fn bytes(size: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if size < 1000 {
        return format!("{size} B");
    }
    let mut value = size as f64 / 1000.0;
    let mut unit = 0;
    // From 999.5 on the rounded number would have four digits.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if value < 9.95 {
        format!("{value:.1} {}", UNITS[unit])
    } else {
        format!("{value:.0} {}", UNITS[unit])
    }
}

/// How long something took or will take: `42 ms`, `1.2 s`, `18 s`, `1 m 12 s`, `2 h 5 m`,
/// `3 d 4 h`.
pub fn duration(span: Duration) -> String {
    let millis = span.as_millis();
    if millis < 1000 {
        return format!("{millis} ms");
    }
    if millis < 9950 {
        return format!("{:.1} s", span.as_secs_f64());
    }
    let seconds = (millis + 500) / 1000;
    if seconds < 60 {
        return format!("{seconds} s");
    }
    let minutes = seconds / 60;
    if minutes < 60 {
        return two(minutes, "m", seconds % 60, "s");
    }
    let hours = minutes / 60;
    if hours < 24 {
        return two(hours, "h", minutes % 60, "m");
    }
    two(hours / 24, "d", hours % 24, "h")
}

fn two(large: u128, large_unit: &str, small: u128, small_unit: &str) -> String {
    if small == 0 {
        format!("{large} {large_unit}")
    } else {
        format!("{large} {large_unit} {small} {small_unit}")
    }
}

/// How long ago something was: `just now`, `12 minutes ago`, `3 days ago`, `2 years ago`.
///
/// `seconds` below zero are in the future, as when the server's clock is ahead: `in 3 days`.
pub fn ago(seconds: i64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    const MONTH: u64 = 30 * DAY;
    const YEAR: u64 = 365 * DAY;
    let distance = seconds.unsigned_abs();
    let span = match distance {
        0..5 => return "just now".to_owned(),
        5..MINUTE => count(distance, "second"),
        MINUTE..HOUR => count(distance / MINUTE, "minute"),
        HOUR..DAY => count(distance / HOUR, "hour"),
        DAY..MONTH => count(distance / DAY, "day"),
        // Twelve months of thirty days are less than a year.
        MONTH..YEAR => count((distance / MONTH).min(11), "month"),
        _ => count(distance / YEAR, "year"),
    };
    if seconds < 0 {
        format!("in {span}")
    } else {
        format!("{span} ago")
    }
}

/// How fast something goes: `38/s`, `0.4/s`, `12/min` where it is slow; empty before a second has
/// passed.
pub fn rate(done: u64, span: Duration) -> String {
    let seconds = span.as_secs_f64();
    if seconds < 1.0 {
        return String::new();
    }
    let each = done as f64 / seconds;
    if each >= 9.95 {
        format!("{}/s", grouped(each.round() as u64))
    } else if each >= 1.0 {
        format!("{each:.1}/s")
    } else {
        format!("{}/min", (each * 60.0).round() as u64)
    }
}

/// A share in whole percent, never 100 before all is done: `37 %`.
pub fn percent(done: u64, total: u64) -> String {
    if total == 0 {
        return "0 %".to_owned();
    }
    let share = u128::from(done.min(total)) * 100 / u128::from(total);
    format!("{share} %")
}

/// A date for lists: `2024-11-02`.
pub fn date(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at).date().to_string()
}

/// A date and the time of day, for lists where two of one day are to be told apart:
/// `2024-11-02 14:02`.
pub fn minute(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A date for lists that are about the last days: `today`, `yesterday`, else as [`date`].
pub fn date_near(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let day = zone.to_datetime(at).date();
    let today = zone.to_datetime(now).date();
    if day == today {
        return "today".to_owned();
    }
    if today.yesterday().is_ok_and(|yesterday| day == yesterday) {
        return "yesterday".to_owned();
    }
    day.to_string()
}

/// A time of day: `14:02:11`.
pub fn time(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at).strftime("%H:%M:%S").to_string()
}

/// A point in time in full, for details: `2024-11-02 14:02:11 +01:00`.
pub fn exact(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S %:z")
        .to_string()
}

#[cfg(test)]
mod tests {
    use jiff::tz;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1204), "1,204");
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(count(1, "page"), "1 page");
        assert_eq!(count(0, "page"), "0 pages");
        assert_eq!(count(1204, "entry"), "1,204 entries");
        assert_eq!(count(2, "blog post"), "2 blog posts");
        assert_eq!(count(3, "child"), "3 children");
        assert_eq!(count(2, "key"), "2 keys");
        assert_eq!(count(2, "match"), "2 matches");
        assert_eq!(percent(1999, 2000), "99 %");
        assert_eq!(percent(3, 0), "0 %");
    }

    #[test]
    fn sizes() {
        for (size, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1_440_000, "1.4 MB"),
            (9_949_999, "9.9 MB"),
            (9_950_000, "9.9 MB"),
            (14_000_000, "14 MB"),
            (999_600, "1.0 MB"),
            (u64::MAX, "18 EB"),
        ] {
            // 9.95 is a little less in binary; either side of the border reads the same.
            assert!(
                bytes(size) == text || bytes(size) == "10 MB",
                "{size}: {}",
                bytes(size)
            );
        }
    }

    #[test]
    fn spans() {
        for (millis, text) in [
            (0, "0 ms"),
            (42, "42 ms"),
            (1200, "1.2 s"),
            (9949, "9.9 s"),
            (18_000, "18 s"),
            (59_600, "1 m"),
            (72_000, "1 m 12 s"),
            (7_500_000, "2 h 5 m"),
            (273_600_000, "3 d 4 h"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
        assert_eq!(rate(76, Duration::from_secs(2)), "38/s");
        assert_eq!(rate(3, Duration::from_secs(2)), "1.5/s");
        assert_eq!(rate(2, Duration::from_secs(10)), "12/min");
        assert_eq!(rate(2, Duration::from_millis(10)), "");
    }

    #[test]
    fn ages() {
        const DAY: i64 = 86_400;
        for (seconds, text) in [
            (0, "just now"),
            (12, "12 seconds ago"),
            (60, "1 minute ago"),
            (7200, "2 hours ago"),
            (3 * DAY, "3 days ago"),
            (364 * DAY, "11 months ago"),
            (800 * DAY, "2 years ago"),
            (-3 * DAY, "in 3 days"),
        ] {
            assert_eq!(ago(seconds), text);
        }
        assert!(ago(i64::MIN).starts_with("in "));
    }

    #[test]
    fn dates_in_the_zone_that_is_given() {
        let zone = TimeZone::fixed(tz::offset(2));
        let at: Timestamp = "2024-06-01T22:30:05Z".parse().unwrap();
        assert_eq!(date(at, &TimeZone::UTC), "2024-06-01");
        assert_eq!(date(at, &zone), "2024-06-02");
        assert_eq!(time(at, &zone), "00:30:05");
        assert_eq!(minute(at, &zone), "2024-06-02 00:30");
        assert_eq!(exact(at, &zone), "2024-06-02 00:30:05 +02:00");
        let now: Timestamp = "2024-06-02T10:00:00Z".parse().unwrap();
        assert_eq!(date_near(at, now, &zone), "today");
        assert_eq!(date_near(at, now, &TimeZone::UTC), "yesterday");
        let later: Timestamp = "2024-06-05T10:00:00Z".parse().unwrap();
        assert_eq!(date_near(at, later, &zone), "2024-06-02");
    }

    proptest! {
        #[test]
        fn any_number_is_short(number in any::<u64>(), seconds in any::<i64>()) {
            prop_assert!(bytes(number).len() <= 6);
            prop_assert!(!ago(seconds).is_empty());
            prop_assert!(!duration(Duration::from_millis(number)).is_empty());
            prop_assert_eq!(grouped(number).replace(',', ""), number.to_string());
        }
    }
}
