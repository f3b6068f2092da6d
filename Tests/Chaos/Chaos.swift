import Foundation
import Glibc

/// `higgins-chaos`: real programs under misfortune. Every value a command acknowledged has to be
/// there exactly once afterwards, on its device and, once all is healed, on every device.
@main
struct Chaos {
  static let usage = """
    USAGE: higgins-chaos [--quick] [--prove] [--seed N] [--rounds N] [--only NAME,…] [--bin DIR]
      [--keep]

    Kills, stops and starves `higgins` and `higginsd` on loopback, and checks after each misfortune
    that nothing acknowledged was lost or doubled.

      --quick      the short form: 9 rounds of each of three kinds of kill instead of 200
      --prove      plant losses instead, and demand that the checks notice them
      --seed N     draw as in that run (also SEED in the environment)
      --rounds N   kills of each kind
      --only …     these scenarios alone, separated by commas
      --bin DIR    where the programs are (also BIN; default: beside this program)
      --keep       leave the folder where all happened

    SCENARIOS
    """

  struct Options {
    var isQuick = false
    var proves = false
    var keeps = false
    var seed: UInt64?
    var rounds: Int?
    var only: [String]?
    var products: String?
  }

  static func main() {
    signal(SIGPIPE, SIG_IGN)
    umask(0o077)
    do {
      exit(try act(try parse(Array(CommandLine.arguments.dropFirst()))) ? 0 : 1)
    } catch let error as Wrong {
      Run.say(error.sentence)
      exit(error.code)
    } catch {
      Run.say("higgins-chaos: \(error)")
      exit(1)
    }
  }

  struct Wrong: Error {
    let sentence: String
    let code: Int32
  }

  private static func parse(_ words: [String]) throws -> Options {
    var options = Options()
    let environment = ProcessInfo.processInfo.environment
    options.seed = environment["SEED"].flatMap { UInt64($0) }
    options.products = environment["BIN"].flatMap { $0.isEmpty ? nil : $0 }
    var rest = words[...]
    func value(_ name: String) throws -> String {
      guard let value = rest.popFirst() else {
        throw Wrong(sentence: "\(name) needs a value.", code: 64)
      }
      return value
    }
    while let word = rest.popFirst() {
      switch word {
      case "--quick": options.isQuick = true
      case "--prove": options.proves = true
      case "--keep": options.keeps = true
      case "--seed": options.seed = UInt64(try value(word))
      case "--rounds": options.rounds = Int(try value(word)).map { min(max($0, 1), 100_000) }
      case "--only": options.only = try value(word).split(separator: ",").map(String.init)
      case "--bin": options.products = try value(word)
      case "--help", "-h":
        let lines = Scenario.all.map { "  \($0.name): \($0.about)" }
        throw Wrong(sentence: usage + "\n" + lines.joined(separator: "\n"), code: 0)
      default: throw Wrong(sentence: "Unknown: \(word). `--help` lists what there is.", code: 64)
      }
    }
    return options
  }

  /// Whether all was well.
  private static func act(_ options: Options) throws -> Bool {
    let seed = options.seed ?? UInt64.random(in: 1...999_999)
    let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let products = options.products ?? own.deletingLastPathComponent().path
    let folder = "\(NSTemporaryDirectory())/higgins-chaos-\(getpid())"
    let stage = try Stage(products: products, folder: folder)
    defer { stage.strike(keeping: options.keeps) }
    let started = ContinuousClock.now
    Run.say("seed \(seed); SEED=\(seed) repeats it")
    try stage.set()
    if options.proves {
      let missed = try Proof(stage: stage, seed: seed).run()
      for what in missed { Run.say("MISSED  \(what)") }
      Run.say(missed.isEmpty ? "Every planted loss was noticed." : "\(missed.count) were missed.")
      return missed.isEmpty
    }
    let rounds = options.rounds ?? (options.isQuick ? 9 : 200)
    let run = Run(
      stage: stage, origin: Run.Origin(seed: seed, rounds: rounds), isLong: !options.isQuick)
    for scenario in try chosen(options.only) {
      do {
        try run.play(scenario)
      } catch {
        run.find("\(error)")
      }
    }
    for name in run.scenariosWithFindings {
      Run.say("again: higgins-chaos --seed \(seed) --rounds \(rounds) --only \(name)")
    }
    let seconds = (ContinuousClock.now - started).components.seconds
    Run.say("chaos: \(run.summary); seed \(seed), \(seconds) s")
    return run.findings.isEmpty
  }

  private static func chosen(_ names: [String]?) throws -> [Scenario] {
    guard let names else { return Scenario.all }
    return try names.map { name in
      guard let scenario = Scenario.all.first(where: { $0.name == name }) else {
        throw Wrong(sentence: "There is no scenario \(name). `--help` lists them.", code: 64)
      }
      return scenario
    }
  }
}
