//! How far a run is, for whoever shows it.

/// Is told how far a run is.
pub trait Progress: Sync {
    /// So much is to be done.
    fn started(&self, total: usize);

    /// One more is done.
    fn advanced(&self);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn started(&self, _: usize) {}

    fn advanced(&self) {}
}
