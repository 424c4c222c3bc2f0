/* Go programs take their random numbers from ProcessPrng of bcryptprimitives.dll, which Wine has only since version 9. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) { return RtlGenRandom(data, length); }
