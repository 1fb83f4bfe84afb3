//! What a window shows otherwise than before.

/// A line of a window: which one, and which state of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<V> {
    /// What it is; no two lines of a window are the same.
    pub id: u32,
    /// As it is shown.
    pub shown: V,
}

/// What has to be told so that somebody who knows one window knows another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The ids of the lines, from the first to the last, where these are others or stand otherwise.
    pub order: Option<Vec<u32>>,
    /// The places, in the new window, of lines that were not there before.
    pub entered: Vec<usize>,
    /// The places of lines that were there and are shown otherwise, each with its place before.
    pub changed: Vec<(usize, usize)>,
}

impl Changes {
    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.order.is_none() && self.entered.is_empty() && self.changed.is_empty()
    }
}

/// What `now` shows otherwise than `before`. A window has some hundred lines at most: most of them stand where they stood,
/// or all of them a few places further on.
#[must_use]
pub fn changes<V: PartialEq>(before: &[Line<V>], now: &[Line<V>]) -> Changes {
    let same = before.len() == now.len() && before.iter().zip(now).all(|(a, b)| a.id == b.id);
    let order = (!same).then(|| now.iter().map(|line| line.id).collect());
    let (mut entered, mut changed) = (Vec::new(), Vec::new());
    // Where the last line was found, the next one is looked for first.
    let mut guess = 0;
    for (at, line) in now.iter().enumerate() {
        let place = match before.get(guess) {
            Some(found) if found.id == line.id => Some(guess),
            _ => before.iter().position(|found| found.id == line.id),
        };
        match place.and_then(|place| before.get(place).map(|found| (place, found))) {
            None => entered.push(at),
            Some((place, found)) => {
                guess = place + 1;
                if found.shown != line.shown {
                    changed.push((at, place));
                }
            }
        }
    }
    Changes { order, entered, changed }
}

#[cfg(test)]
mod tests;
