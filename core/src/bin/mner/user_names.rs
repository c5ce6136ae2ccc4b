//! `--user-names`: what becomes of the entities that are user names.

/// Whether entities of user names are answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum UserNames {
    /// They are, as in Twitter-2017.
    #[default]
    Keep,
    /// They are not, as in the other corpora.
    Drop,
}

impl UserNames {
    /// Whether they are left out.
    pub fn dropped(self) -> bool {
        self == Self::Drop
    }
}
