"""The countries that terms can name: a closed table, like that of the purposes (L2).

What is withheld somewhere is compared with a territory code by code (C5). A code that means no country, such
as EU or UK, would match nothing that is withheld, and so permit what it should deny.
"""

_ASSIGNED = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT
BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH
ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT
HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS
LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI
NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG
SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG
UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""

COUNTRIES = frozenset(_ASSIGNED.split())
"""The alpha-2 codes that ISO 3166-1 assigns, as of 2024-02-29.

They stand here and not in a library, so that terms which are in force never come to mean something else by
an upgrade.
"""


def is_country(code: str) -> bool:
    """Whether it is the code of a country, such as DE."""
    return code in COUNTRIES


def is_jurisdiction(code: str) -> bool:
    """Whether it names a country, or a part of one after a hyphen, such as US-CA; parts are not looked up."""
    return code.partition("-")[0] in COUNTRIES
