//! The client against a service that is one function.
