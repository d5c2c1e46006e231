fn main() {
    let place = daemon::place::Place::of_socket(std::path::Path::new(&std::env::args().nth(1).unwrap())).unwrap();
    let signals = daemon::lifecycle::Signals::catch().unwrap();
    let l = daemon::lifecycle::Listener::bind(&place, false).unwrap();
    let server = daemon::Server::new(vec![&daemon::modules::test::MODULE], daemon::Identity::default()).unwrap();
    daemon::lifecycle::serve(&server, l, &signals, &daemon::lifecycle::Options { idle_exit: None }).unwrap();
}
