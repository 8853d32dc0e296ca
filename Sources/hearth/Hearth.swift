import ArgumentParser

@main
struct Hearth: ParsableCommand {}
