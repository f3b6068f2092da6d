import ArgumentParser

/// For commands that print records.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print JSON, one object a line.")
  var json = false
}

/// For commands that change something.
struct SavingOptions: ParsableArguments {
  @Flag(help: "Only save; whatever runs next sends it.")
  var noSync = false
}

extension ArgumentHelp {
  static let contextName = ArgumentHelp(
    "A name, the beginning or a part of one, or an id.", valueName: "context")
  static let attributeName = ArgumentHelp(
    "A label, the beginning or a part of one, or an id.", valueName: "attribute")
}
