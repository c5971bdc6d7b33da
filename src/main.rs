//! The program `coracle`.

fn main() -> std::process::ExitCode {
    coracle::boot::main()
}
