// c10d's header of ProcessGroupGloo names it and uses nothing of it.
#pragma once
