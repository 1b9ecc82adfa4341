#include "policies/fields.h"
