import AttributeServer

/// What ends the process, in words for the person who started it.
enum DaemonError: Error, CustomStringConvertible {
  /// A wrong command line, environment or configuration file.
  case usage(String)
  case failed(String)
  /// A database has faults: the same code as the selector's integrity alarms.
  case findings(String)

  /// 64 is EX_USAGE of sysexits(3).
  var exitCode: Int32 {
    switch self {
    case .usage: 64
    case .failed: 1
    case .findings: 6
    }
  }

  var description: String {
    switch self {
    case .usage(let text), .failed(let text), .findings(let text): text
    }
  }
}

extension DaemonError {
  init(_ error: AttributeServerError) {
    switch error {
    case .findings, .damaged: self = .findings("\(error)")
    default: self = .failed("\(error)")
    }
  }
}
