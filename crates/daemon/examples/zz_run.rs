use std::time::Instant;
fn main() {
    let mut t = daemon::testing::TestSession::new(&[&daemon::modules::test::MODULE]).unwrap();
    let image = storable::to_vec(&[(); 0]).unwrap();
    for _ in 0..3 {
        let b = Instant::now();
        for _ in 0..1_000_000 { t.call_image("test.ping", &image).unwrap(); }
        println!("run {:?}", b.elapsed() / 1_000_000);
        let b = Instant::now();
        for _ in 0..1_000_000 { std::hint::black_box(Instant::now()); }
        println!("now {:?}", b.elapsed() / 1_000_000);
        let b = Instant::now();
        for _ in 0..1_000_000 { rustix::thread::sched_yield(); }
        println!("yield {:?}", b.elapsed() / 1_000_000);
    }
}
