//! Methods that set a field and give the value back, as those have that are built step by step.

/// Writes such methods: `name(argument: Type) => field = value;`.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty)?) => $field:ident = $value:expr;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $($argument: $type)?) -> Self {
            self.$field = $value;
            self
        }
    )*};
}

pub(crate) use setters;
