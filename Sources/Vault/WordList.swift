/// The words of passphrases and of the words two screens show at pairing.
public enum WordList {
  /// Exactly 1,024 (ten bits each) everyday words of 3 to 7 lower-case letters, sorted.
  ///
  /// Words that differ from others in one letter were left out where enough remained. The list
  /// never changes: both sides of a pairing must have the same.
  public static let words: [String] = text.split(whereSeparator: \.isWhitespace).map(String.init)

  private static let text = """
    acorn acre adapt adult advice affair agency agenda agree alarm album alert almond alpha amber
    amount anchor angle answer antler apple april apron arch arena argue aspect atlas atom attic
    audio august aunt author autumn avenue avocado award axis baby bacon badge bagel baker
    balance balcony bamboo banana band banner bargain bark barrel base basic basket bath battery
    beam beard beauty beef beetle begin bell bench berry bike birch bird biscuit black blade
    blanket blend blink bloom blouse blue boat body boil bold bonus border borrow boss bottle
    bottom brain brake branch brass bread breeze brick bridge brief bright bring bronze brook
    brother brown brush bubble bucket budget buffalo build bulb bundle butter button buyer cabin
    cabinet cable cactus cafe call camel camera camp canal candle candy canoe canvas canyon
    capital captain caramel carbon card cargo carpet carrot carry carve cash castle catalog catch
    cedar ceiling celery cello cement center cereal chain chalk chance channel chapter charm
    check cheer cheese cherry chess chicken chief child choice choir chorus cider cinema circle
    circus citizen city civil claim clap clean clerk clever client cliff climb clock close cloth
    cloud club coach coast cocoa coconut code coffee collar college color column comb comedy
    comet comfort comic common compass concert cook cookie copper copy coral corner cotton count
    country couple course cousin cover crab cradle craft crane crayon cream credit creek crew
    cricket crisp crop cross crowd crumb crust crystal cube curb curtain cushion custom cycle
    daily dance date dawn decade deep degree delta denim dentist depth desert design desk detail
    dial diamond diary digit dinner direct dish doctor doll dolphin domain donkey door double
    dove dozen dragon drama draw dress drift drill drink drive drum duck dune dust duty eager
    eagle early earth easy echo editor effect effort elbow elder elegant element empty engine
    enjoy entry equal errand escape estate evening event exact exam example exit expert extra
    fabric face factor fair falcon family famous fancy farm farmer fashion fast father fence fern
    festive fiber field figure film filter final finch finger first flag flame flash flavor fleet
    flight flint float floor flower fluid flute foam focus folk food forest fort fortune forum
    fossil free fresh friend frog front fruit fuel funnel furnace future galaxy gallery game
    garage garden garlic gear gentle giant gift giraffe girl give glad glass globe goal goose
    grace grand granite graph gravel gravy great green grid grocer ground group grove grow guard
    guess guide guitar gulf habit half hammer hammock hamster happy harbor harp harvest hawk
    hazel head heart hedge height helmet help herb heron hiker hill hinge history hobby hockey
    holiday hollow home honest honey hoof horizon horn horse hotel hour human humble humor
    hundred icon idea igloo image index indoor inlet input insect inside island item ivory jacket
    jade january jasmine jazz jeans jelly jewel jogger join joke journal journey judge juice july
    jumbo jump jungle junior kayak keen keeper kennel kettle king kiosk kitchen kite kitten kiwi
    knee knight knit knob koala label ladder lady lake lamb lantern large laser laugh laundry
    laurel lava lawyer leader league learn leather lecture left legend lemon lens leopard lesson
    letter lettuce level library license life lilac lily limit linen lion liquid list lizard loaf
    lobster local locket lodge logic loop lotion lotus lounge lucky lumber lunar lunch lung lyric
    machine magic magnet mail major mammal mango manual maple marble margin marine market marsh
    mask master matrix meadow measure medium melody melon member memory menu mercy merit metal
    meteor method middle mild mimic mineral mint minute mirror mixer mobile model modern modest
    moment monitor month moon morning mosaic mother motor movie muffin mule muscle museum music
    mustard mutual napkin narrow nation native nature navy neat neck nectar needle nephew nerve
    neutral news nickel niece noble noise noodle north notice novel nurse nylon oasis object
    ocean october offer office olive omelet onion onyx open opera opinion orange orbit orchard
    organ origin otter outdoor outfit oval owner oxygen oyster pack paddle paint palace panda
    panel pansy panther papaya paper parade parcel parent party pasta pastry patient patio
    pattern pause peace peanut pearl pebble pecan pedal pelican pencil penguin penny people
    pepper perfect person phone photo phrase piano pickle picnic picture pigeon pillow pilot
    pioneer pitch pizza plain planet plank plate player plaza plenty plume polar polish polite
    popcorn poppy porch portion potato pottery powder prairie praise present pretty pride prince
    profit program project proof proud public pudding pulse pumpkin pupil purple puzzle pyramid
    quail quality quartz queen quest quick quiet quill quota rabbit raccoon radar radio radish
    rainbow raisin rapid raven reach ready reason recipe record refresh region relax remedy
    repair report rescue result return reward rhythm ribbon ripple river robin robot rodeo
    rooster route rowboat royal rubber ruler runner rural rustic safari sailor salad salmon salsa
    sample sandal satin sauce sauna scale scarf scene scenic school science scooter scout screen
    script search second secret senator sense series sesame seven shade shadow shark sheep shelf
    shelter shield shirt shore shovel shower shrimp shuttle sibling signal silent silver siren
    sister skate sketch skill sleeve slice slope small smart smile smoke smooth snack snail
    soccer social solid sonic south space sparrow speech speed sphere spider spinach spiral
    spirit splash sponge spoon sport spring spruce square squid stable staff stage stair stamp
    stand station statue steady steel stereo stick stone stool storm straw stream street strong
    student studio style sugar sulfur summer summit sunday sunny sunset supper supply sweater
    sweet swift swing symbol syrup system tablet talent target taste teacher teapot temple tempo
    tenant tennis thank theater theme theory thick thimble thing thread thrive thumb thunder
    ticket tiger timber title today token tomato tooth topaz topic tornado total toucan towel
    track trade trail trend trophy trumpet trunk truth tulip tundra turban turkey turtle tutor
    twelve uncle unique update useful usual vacuum valley value vanilla vapor vault vector velvet
    vendor verse vessel veteran video village vinegar violet violin virtue vision visit visitor
    vivid voice volcano volume voyage waffle wagon waist wallet walnut walrus water wealth weave
    wedding weekend whale wheat wheel whisper white widget width window winter wonder world
    writer yacht yeast yellow yogurt young zebra zenith zigzag zipper
    """
}
