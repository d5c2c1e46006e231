//! The modules that are part of every daemon.
//!
//! | module   | what it is for                                          |
//! |----------|---------------------------------------------------------|
//! | `test`   | trying the bridge: ping, echo, sleep, callbacks         |
//! | `system` | looking at the daemon and ending it                     |

pub mod system;
pub mod test;
