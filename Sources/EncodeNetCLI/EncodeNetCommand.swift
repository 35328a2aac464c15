import ArgumentParser

@main
struct EncodeNetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "encodenet")
}
